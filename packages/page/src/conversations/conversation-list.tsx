import type { VNode } from 'preact';
import { useLayoutEffect, useMemo, useRef, useState } from 'preact/hooks';
import { formatAddress } from '../address.ts';
import type { Address } from '../address.ts';
import type { ShownConversation } from '../asking/rows.ts';
import { OutcomeBadge } from '../drawing/marks.tsx';
import { StepBar } from '../drawing/bars.tsx';
import type { PartsIndex } from '../drawing/bars.tsx';
import { durationWords, isFailed, shortTimeWords } from '../words.ts';

/** Id of the field that the key `/` focuses. */
export const FIND_FIELD = 'find';

/** In a narrower list, a row has two lines. */
const NARROW_PX = 720;
const ROW_PX = 40;
const NARROW_ROW_PX = 64;
/** Fraction of rows whose bar fits; longer bars are clipped. */
const FITTING_SHARE = 0.98;
/** Number of rows that are rendered above and below the visible ones. */
const MARGIN_ROWS = 12;

interface ListProps {
  rows: readonly ShownConversation[];
  parts: readonly PartsIndex[];
  address: Address;
  zone: string;
}

/** A virtual list of up to ten thousand rows, of which only the visible ones are in the DOM. */
export function ConversationList({ rows, parts, address, zone }: ListProps) {
  const box = useRef<HTMLDivElement>(null);
  const [seen, setSeen] = useState({ topRow: 0, height: 800, width: 1000 });
  const [chosen, setChosen] = useState<string>();
  const wantsFocus = useRef(false);
  const rowPx = rowPxOf(seen.width);

  useLayoutEffect(() => {
    const element = box.current!;
    const measure = (): void => {
      const { clientHeight: height, clientWidth: width } = element;
      const topRow = Math.floor(element.scrollTop / rowPxOf(width));
      // Re-rendered only when other rows become visible.
      setSeen((before) =>
        before.topRow === topRow && before.height === height && before.width === width
          ? before
          : { topRow, height, width },
      );
    };
    measure();
    const resized = new ResizeObserver(measure);
    resized.observe(element);
    element.addEventListener('scroll', measure, { passive: true });
    return () => {
      resized.disconnect();
      element.removeEventListener('scroll', measure);
    };
  }, []);

  useRowKeys(rows, chosen, (row, index) => {
    const element = box.current!;
    wantsFocus.current = true;
    setChosen(row.traceId);
    const top = index * rowPx;
    if (top < element.scrollTop) element.scrollTop = top;
    else if (top + rowPx > element.scrollTop + element.clientHeight) {
      element.scrollTop = top + rowPx - element.clientHeight;
    }
  });
  // A layout effect, because a key press between rendering and focusing would be undone: focusing a row selects it.
  useLayoutEffect(() => {
    const element = box.current!;
    // Must not take the focus from a user who is typing elsewhere.
    const { activeElement } = document;
    // If a focused row is removed, the body gets the focus.
    const isElsewhere = activeElement !== document.body && !element.contains(activeElement);
    if (!wantsFocus.current && isElsewhere) return;
    const row = element.querySelector<HTMLElement>('[data-chosen]');
    // The row may have just been rendered, or its element may now show another row, which Enter must not open.
    if (row !== null && chosen !== undefined) {
      wantsFocus.current = false;
      row.focus({ preventScroll: true });
    } else if (element.contains(document.activeElement)) {
      element.focus({ preventScroll: true });
    }
  }, [chosen, seen.topRow, rows]);

  const first = Math.max(seen.topRow - MARGIN_ROWS, 0);
  const shownAtOnce = Math.ceil(seen.height / rowPx) + 1 + 2 * MARGIN_ROWS;
  const shown = rows.slice(first, seen.topRow - MARGIN_ROWS + shownAtOnce);
  const scaleMs = useMemo(() => barScaleMs(rows), [rows]);
  const here = formatAddress(address);
  // Caches rendered rows, so that scrolling only renders rows that become visible.
  const drawn = useMemo(() => new Map<ShownConversation, VNode>(), [here, zone, parts, scaleMs]);
  const draw = (row: ShownConversation): VNode => (
    <Row
      row={row}
      isChosen={row.traceId === chosen}
      parts={parts}
      scaleMs={scaleMs}
      href={formatAddress({ ...address, conversationId: row.id, step: undefined })}
      zone={zone}
      onFocus={setChosen}
    />
  );
  const drawnOf = (row: ShownConversation): VNode => {
    if (row.traceId === chosen) return draw(row);
    let found = drawn.get(row);
    if (found === undefined) drawn.set(row, (found = draw(row)));
    return found;
  };
  return (
    <div class="list" ref={box} tabIndex={-1}>
      <ol style={{ height: `${rows.length * rowPx}px` }}>
        {shown.map((row, index) => (
          <li
            // Reuses the elements of rows that scroll out, because creating new ones is slower.
            key={(first + index) % shownAtOnce}
            aria-setsize={rows.length}
            aria-posinset={first + index + 1}
            style={{ transform: `translateY(${(first + index) * rowPx}px)`, height: `${rowPx}px` }}
          >
            {drawnOf(row)}
          </li>
        ))}
      </ol>
    </div>
  );
}

function rowPxOf(width: number): number {
  return width < NARROW_PX ? NARROW_ROW_PX : ROW_PX;
}

/** The scale at which nearly all bars fit, so that one very long conversation does not make all others tiny. */
function barScaleMs(rows: readonly ShownConversation[]): number {
  const sorted = Float64Array.from(rows, ({ durationMs }) => durationMs).sort();
  return Math.max(sorted[Math.floor((sorted.length - 1) * FITTING_SHARE)] ?? 0, 1);
}

function Row(props: {
  row: ShownConversation;
  isChosen: boolean;
  parts: readonly PartsIndex[];
  scaleMs: number;
  href: string;
  zone: string;
  onFocus: (traceId: string) => void;
}) {
  const { row, isChosen, parts, scaleMs, href, zone, onFocus } = props;
  return (
    <a class="row" href={href} data-chosen={isChosen ? '' : undefined} onFocus={() => onFocus(row.traceId)}>
      <span class="row-time">{shortTimeWords(row.startUnixMs, zone)}</span>
      <span class="row-id">{row.id}</span>
      <StepBar conversation={row} parts={parts} scaleMs={scaleMs} />
      <span class="row-duration">
        {durationWords(row.durationMs)}
        {row.responseMs === undefined ? null : <small title="Response latency">{durationWords(row.responseMs)}</small>}
      </span>
      <span class="row-outcome">
        <OutcomeBadge outcome={row.outcome} />
        {row.failedStep === undefined ? null : <small>at {row.failedStep}</small>}
      </span>
    </a>
  );
}

/** Keys: `j` down, `k` up, `e` to the next failure, `/` to the search field. Enter follows the link. */
function useRowKeys(
  rows: readonly ShownConversation[],
  chosen: string | undefined,
  choose: (row: ShownConversation, index: number) => void,
): void {
  // Keys may be pressed faster than the list renders, so each continues from the row that the previous one selected.
  const latest = useRef({ rows, chosen, choose });
  latest.current = { rows, chosen, choose };
  // A layout effect, so that no key press is lost after the rows become visible.
  useLayoutEffect(() => {
    const press = (event: KeyboardEvent): void => {
      const isTyping = event.target instanceof HTMLElement && event.target.closest('input, select, textarea') !== null;
      if (isTyping || event.ctrlKey || event.metaKey || event.altKey) return;
      if (event.key === '/') {
        event.preventDefault();
        document.getElementById(FIND_FIELD)?.focus();
        return;
      }
      const known = latest.current;
      const now = known.rows.findIndex(({ traceId }) => traceId === known.chosen);
      const next = nextIndex(event.key, known.rows, now);
      const row = next === undefined ? undefined : known.rows[next];
      if (row === undefined) return;
      event.preventDefault();
      latest.current = { ...known, chosen: row.traceId };
      known.choose(row, next!);
    };
    document.addEventListener('keydown', press);
    return () => document.removeEventListener('keydown', press);
  }, []);
}

function nextIndex(key: string, rows: readonly ShownConversation[], now: number): number | undefined {
  if (key === 'j') return Math.min(now + 1, rows.length - 1);
  if (key === 'k') return Math.max(now - 1, 0);
  if (key !== 'e') return undefined;
  const found = rows.findIndex(({ outcome }, index) => index > now && isFailed(outcome));
  return found === -1 ? undefined : found;
}

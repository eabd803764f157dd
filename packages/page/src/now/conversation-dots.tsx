import { useMemo, useState } from 'preact/hooks';
import type uPlot from 'uplot';
import { goTo, timeText, unixMs, windowOf } from '../address.ts';
import type { Address } from '../address.ts';
import { ask } from '../asking/ask.ts';
import type { PlacedConversation } from '../asking/answers.ts';
import { useAnswer } from '../asking/use-answer.ts';
import { TimeChart } from '../drawing/time-chart.tsx';
import { Answered } from '../frame/view.tsx';
import { countWords, durationWords, isFailed, outcomeWords, shortTimeWords } from '../words.ts';
import { cellAt, CELLS_FROM, drawDots, nearestDot } from '../drawing/draw-dots.ts';
import type { Cell } from '../drawing/draw-dots.ts';

const HEIGHT_PX = 240;
/** Maximum distance of a click from a failure that is drawn over cells, in pixels. */
const ON_PX = 4;
/** uPlot draws nothing itself: the dots are drawn by {@link drawDots}. */
const SERIES: uPlot.Series[] = [{ paths: () => null, points: { show: false } }];

/** A scatter plot of the conversations by start and duration; if there are many, a heat map. */
export function ConversationDots(props: { address: Address; zone: string; everyMs: number | undefined }) {
  const { address, zone, everyMs } = props;
  const { since, until, filters } = address;
  const known = useAnswer(
    `dots ${JSON.stringify([since, until, filters])}`,
    async () => {
      const window = windowOf(address, Date.now());
      return { ...(await ask('places', { filters, window })), asked: window };
    },
    everyMs,
  );
  return (
    <Answered known={known}>
      {({ conversations, asked }) => (
        <Dots
          rows={conversations}
          sinceSeconds={unixMs(asked.sinceUnixNano) / 1000}
          untilSeconds={unixMs(asked.untilUnixNano) / 1000}
          address={address}
          zone={zone}
        />
      )}
    </Answered>
  );
}

interface DotsProps {
  rows: PlacedConversation[];
  sinceSeconds: number;
  untilSeconds: number;
  address: Address;
  zone: string;
}

function Dots({ rows, sinceSeconds, untilSeconds, address, zone }: DotsProps) {
  const [near, setNear] = useState<PlacedConversation | Cell>();
  const data = useMemo<uPlot.AlignedData>(
    () => [rows.map(({ startUnixMs }) => startUnixMs / 1000), rows.map(({ durationMs }) => durationMs)],
    [rows],
  );
  const hasCells = rows.length >= CELLS_FROM;
  const failed = useMemo(() => rows.filter(({ outcome }) => isFailed(outcome)), [rows]);
  // With cells, only failures are drawn as dots.
  const at = (chart: uPlot, x: number, y: number): PlacedConversation | Cell | undefined =>
    hasCells ? (nearestDot(chart, failed, x, y, ON_PX) ?? cellAt(chart, rows, x, y)) : nearestDot(chart, rows, x, y);
  const list = (sinceUnixMs: number, untilUnixMs: number, more: Partial<Address> = {}): void =>
    goTo({ ...address, view: 'conversations', since: timeText(sinceUnixMs), until: timeText(untilUnixMs), ...more });
  const open = async (row: PlacedConversation): Promise<void> => {
    const sinceUnixNano = BigInt(row.startUnixMs) * 1_000_000n;
    const window = { sinceUnixNano, untilUnixNano: sinceUnixNano + 1_000_000n };
    const { data } = await ask('recent', { timeZone: zone, window, limit: 10_000 });
    const found = data.find(({ traceId }) => traceId === row.traceId);
    if (found === undefined) return;
    goTo({ ...address, view: 'conversations', conversationId: found.conversationId, step: undefined });
  };
  return (
    <>
      <TimeChart
        label={`${rows.length} conversations by start and duration. The view Conversations lists them.`}
        zone={zone}
        heightPx={HEIGHT_PX}
        data={data}
        series={SERIES}
        sinceSeconds={sinceSeconds}
        untilSeconds={untilSeconds}
        draw={(chart) => drawDots(chart, rows)}
        onMove={(chart, x, y) => setNear(at(chart, x, y))}
        onClick={(chart, x, y) => {
          const found = at(chart, x, y);
          if (found === undefined) return;
          if (isCell(found)) list(found.sinceUnixMs, found.untilUnixMs, { order: 'longest' });
          else void open(found);
        }}
        onSelect={(from, to) => list(from * 1000, to * 1000)}
      />
      <p class="chart-caption">
        {near === undefined ? (
          <span class="soft">
            {hasCells ? (
              <>
                One <i class="key-few" /> to many <i class="key-many" /> conversations in a place, ✕ failed. Click a
                place to list it, drag to list a stretch.
              </>
            ) : (
              '● completed ✕ failed ▲ interrupted or open. Click a dot to open it, drag to list a stretch.'
            )}
          </span>
        ) : isCell(near) ? (
          <>
            <strong>{countWords(near.conversations, 'conversation')}</strong> of {durationWords(near.minMs)} to{' '}
            {durationWords(near.maxMs)}, {shortTimeWords(near.sinceUnixMs, zone)} to{' '}
            {shortTimeWords(near.untilUnixMs, zone)}
          </>
        ) : (
          <>
            <strong>{durationWords(near.durationMs)}</strong>, {outcomeWords(near.outcome)},{' '}
            {shortTimeWords(near.startUnixMs, zone)}
          </>
        )}
      </p>
    </>
  );
}

function isCell(found: PlacedConversation | Cell): found is Cell {
  return 'conversations' in found;
}

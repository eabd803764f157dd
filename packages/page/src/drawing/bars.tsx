import type { StepParts } from '../asking/answers.ts';
import { isFailed, durationWords, outcomeWords, shortTimeWords } from '../words.ts';
import type { ShownConversation } from '../asking/rows.ts';
import { stepLook } from './marks.tsx';

/** A shorter overlap is ignored, because clocks are not that accurate. */
const OVERLAP_MS = 1;

/** A step in a bar; `completedMs` is absent if it did not complete. */
interface BarPart {
  step: string;
  offsetMs: number;
  completedMs?: number | undefined;
  /** Lane, from 0; overlapping steps are in different lanes. */
  lane: number;
}

/** Index of {@link StepParts} by conversation, built once for many bars. */
export class PartsIndex {
  readonly #parts: StepParts;
  readonly #rowByTraceId: Map<string, number>;
  readonly #known = new Map<number, BarPart[]>();

  constructor(parts: StepParts) {
    this.#parts = parts;
    this.#rowByTraceId = new Map(parts.traceIds.map((traceId, row) => [traceId, row]));
  }

  /** The steps of one conversation, by start. */
  partsOf(traceId: string): readonly BarPart[] {
    const row = this.#rowByTraceId.get(traceId);
    if (row === undefined) return [];
    const known = this.#known.get(row);
    if (known !== undefined) return known;
    const parts = this.#read(row);
    this.#known.set(row, parts);
    return parts;
  }

  #read(row: number): BarPart[] {
    const byStart = this.#parts.steps
      .flatMap(({ step, rows, firstOffsetMs, completedMs }) => {
        const index = indexIn(rows, row);
        const offsetMs = firstOffsetMs[index] ?? Number.NaN;
        const ms = completedMs[index] ?? Number.NaN;
        if (Number.isNaN(offsetMs)) return [];
        return [{ step, offsetMs, completedMs: Number.isNaN(ms) ? undefined : ms }];
      })
      .toSorted((a, b) => a.offsetMs - b.offsetMs);
    const endsMs: number[] = [];
    return byStart.map((part) => {
      const free = endsMs.findIndex((endMs) => endMs <= part.offsetMs + OVERLAP_MS);
      const lane = free === -1 ? endsMs.length : free;
      endsMs[lane] = part.offsetMs + (part.completedMs ?? 0);
      return { ...part, lane };
    });
  }
}

/** The index of `row` in the ascending `rows`; −1 if it is not there. */
function indexIn(rows: Uint32Array, row: number): number {
  let [low, high] = [0, rows.length];
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (rows[middle]! < row) low = middle + 1;
    else high = middle;
  }
  return rows[low] === row ? low : -1;
}

/**
 * A conversation as one bar with its steps, on a scale from 0 to `scaleMs`. A step that did not complete is hatched, up
 * to the end of the conversation.
 */
export function StepBar(props: {
  conversation: ShownConversation;
  /** The first one that contains the conversation is used. */
  parts: readonly PartsIndex[];
  scaleMs: number;
}) {
  const { conversation, parts, scaleMs } = props;
  const x = (ms: number): number => Math.min((ms / scaleMs) * 100, 100);
  const { durationMs, outcome } = conversation;
  const steps = stepsOf(parts, conversation.traceId);
  const lanes = Math.max(...steps.map(({ lane }) => lane), 0) + 1;
  return (
    <svg class="step-bar" viewBox="0 0 100 10" preserveAspectRatio="none" aria-hidden="true">
      <rect class="step-bar-all" x="0" y="4" width={lanes > 1 ? 0 : x(durationMs)} height="2" />
      {steps.map(({ step, offsetMs, completedMs, lane }, index) => (
        <rect
          key={index}
          class={completedMs === undefined ? `unfinished ${isFailed(outcome) ? 'bad' : ''}` : stepLook(step)}
          x={x(offsetMs)}
          y={1 + (lane * 8) / lanes}
          width={Math.max(x(completedMs ?? durationMs - offsetMs) - 0.2, 0.4)}
          height={8 / lanes - (lanes > 1 ? 0.6 : 0)}
          rx="0.4"
        />
      ))}
    </svg>
  );
}

function stepsOf(parts: readonly PartsIndex[], traceId: string): readonly BarPart[] {
  for (const index of parts) {
    const steps = index.partsOf(traceId);
    if (steps.length > 0) return steps;
  }
  return [];
}

/**
 * A column chart of the durations of conversations, in order. The time before the first output is dark, if known. A
 * click opens the conversation.
 */
export function ConversationColumns(props: {
  /** By start. */
  rows: readonly ShownConversation[];
  linkTo: (row: ShownConversation) => string;
  /** The trace id of the open conversation. */
  current: string | undefined;
  zone: string;
}) {
  const { rows, linkTo, current, zone } = props;
  const longestMs = Math.max(...rows.map(({ durationMs }) => durationMs), 1);
  const hasResponse = rows.some(({ responseMs }) => responseMs !== undefined);
  const hasFailed = rows.some(({ outcome }) => isFailed(outcome));
  const [first, last] = [rows[0], rows.at(-1)];
  return (
    <>
      <ol class="columns">
        {rows.map((row) => (
          <li key={row.traceId}>
            <a
              href={linkTo(row)}
              aria-current={row.traceId === current ? 'true' : undefined}
              class={isFailed(row.outcome) ? 'bad' : ''}
              title={titleOf(row, zone)}
            >
              <i style={{ height: `${Math.max((row.durationMs / longestMs) * 100, 3)}%` }}>
                {row.responseMs === undefined || row.durationMs === 0 ? null : (
                  <b style={{ height: `${Math.min(row.responseMs / row.durationMs, 1) * 100}%` }} />
                )}
              </i>
              <span class="unseen">{`${row.id}, ${durationWords(row.durationMs)}, ${outcomeWords(row.outcome)}`}</span>
            </a>
          </li>
        ))}
      </ol>
      {first === undefined || last === undefined ? null : (
        <p class="soft">
          Durations from {shortTimeWords(first.startUnixMs, zone)} to {shortTimeWords(last.startUnixMs, zone)}; the
          highest is {durationWords(longestMs)}.{hasResponse ? ' Dark: until the first output.' : ''}
          {hasFailed ? ' Striped: failed.' : ''}
        </p>
      )}
    </>
  );
}

function titleOf({ startUnixMs, durationMs, responseMs, outcome }: ShownConversation, zone: string): string {
  const response = responseMs === undefined ? '' : `, first output after ${durationWords(responseMs)}`;
  return `${shortTimeWords(startUnixMs, zone)}, ${durationWords(durationMs)}${response}, ${outcomeWords(outcome)}`;
}

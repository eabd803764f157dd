import type { ConversationOutcome } from '@convotel/query/answers';

/** A duration in words: `640 ms`, `2.41 s`, `1 min 05 s`. */
export function durationWords(milliseconds: number): string {
  const abs = Math.abs(milliseconds);
  if (abs < 1) return abs === 0 ? '0 ms' : `${milliseconds.toFixed(2)} ms`;
  if (abs < 999.5) return `${milliseconds.toFixed(abs < 10 ? 1 : 0)} ms`;
  if (abs < 59_995) return `${(milliseconds / 1000).toFixed(2)} s`;
  const seconds = Math.round(abs / 1000);
  const sign = milliseconds < 0 ? '−' : '';
  if (seconds < 3600) return `${sign}${Math.floor(seconds / 60)} min ${String(seconds % 60).padStart(2, '0')} s`;
  return `${sign}${Math.floor(seconds / 3600)} h ${String(Math.floor((seconds % 3600) / 60)).padStart(2, '0')} min`;
}

/** Like {@link durationWords}, but short enough for an axis. */
export function axisWords(milliseconds: number): string {
  if (milliseconds === 0) return '0';
  if (milliseconds < 1000) return `${Math.round(milliseconds)} ms`;
  if (milliseconds < 120_000) return `${Number((milliseconds / 1000).toFixed(2))} s`;
  return `${Number((milliseconds / 60_000).toFixed(1))} min`;
}

/** A change with its sign. */
export function changeWords(milliseconds: number): string {
  return `${milliseconds > 0 ? '+' : '−'}${durationWords(Math.abs(milliseconds))}`;
}

/** A percentage with at most one decimal. */
export function percentWords(percent: number): string {
  return `${percent.toFixed(percent !== 0 && Math.abs(percent) < 10 ? 1 : 0)} %`;
}

const COUNT = new Intl.NumberFormat('en');

/** `1,204 conversations`. */
export function countWords(count: number, one: string, many = `${one}s`): string {
  return `${COUNT.format(count)} ${count === 1 ? one : many}`;
}

/** `1,204`. */
export function countText(count: number): string {
  return COUNT.format(count);
}

const OUTCOME_WORDS: Readonly<Record<ConversationOutcome, string>> = {
  completed: 'completed',
  failed: 'failed',
  timed_out: 'timed out',
  abandoned: 'abandoned',
  interrupted: 'interrupted',
  open: 'open',
};

export function outcomeWords(outcome: ConversationOutcome): string {
  return OUTCOME_WORDS[outcome];
}

/** Whether the user did not get what they asked for. */
export function isFailed(outcome: ConversationOutcome): boolean {
  return outcome === 'failed' || outcome === 'timed_out' || outcome === 'abandoned';
}

const formats = new Map<string, Intl.DateTimeFormat>();

function format(zone: string, options: Intl.DateTimeFormatOptions): Intl.DateTimeFormat {
  const key = `${zone} ${JSON.stringify(options)}`;
  let found = formats.get(key);
  if (found === undefined) {
    found = new Intl.DateTimeFormat('en-GB', { ...options, timeZone: zone, hourCycle: 'h23' });
    formats.set(key, found);
  }
  return found;
}

const CLOCK = { hour: '2-digit', minute: '2-digit', second: '2-digit' } as const;

/** `8 Oct 2025, 14:30:48`. */
export function timeWords(atUnixMs: number, zone: string): string {
  return format(zone, { day: 'numeric', month: 'short', year: 'numeric', ...CLOCK }).format(atUnixMs);
}

/** `8 Oct, 14:30:48`. */
export function shortTimeWords(atUnixMs: number, zone: string): string {
  return format(zone, { day: 'numeric', month: 'short', ...CLOCK }).format(atUnixMs);
}

/** The value of a date-and-time input in `zone`: `2025-10-08T14:30`. */
export function inputTime(atUnixMs: number, zone: string): string {
  const parts = format(zone, {
    year: 'numeric',
    month: '2-digit',
    day: '2-digit',
    hour: '2-digit',
    minute: '2-digit',
  }).formatToParts(atUnixMs);
  const part = (type: string): string => parts.find((each) => each.type === type)?.value ?? '';
  return `${part('year')}-${part('month')}-${part('day')}T${part('hour')}:${part('minute')}`;
}

/** The instant of the local time `text` in `zone`; undefined if it is not a date and a time. */
export function readInputTime(text: string, zone: string): number | undefined {
  const asUtc = Date.parse(`${text}:00Z`);
  if (Number.isNaN(asUtc)) return undefined;
  // Corrects the guess by the zone's offset at the guessed instant; twice, for times close to a clock change.
  let at = asUtc;
  for (let round = 0; round < 2; round++) at += asUtc - Date.parse(`${inputTime(at, zone)}:00Z`);
  return at;
}

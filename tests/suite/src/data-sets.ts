import { zoneOffsetSeconds } from '@convotel/query/engine';
import type { SpanRecord, Window } from '@convotel/query';
import { generateSpans, USUAL } from './generate-spans.ts';
import type { Traits } from './generate-spans.ts';
import { seededRandom } from './seeded-random.ts';

const NANO_PER_MS = 1_000_000n;
const MS_PER_DAY = 86_400_000;
const FIRST_YEAR = 1990;

/** Generated spans, alone in their stretch of time. */
export interface DataSet {
  name: string;
  /** Seed of the questions about it. */
  seed: number;
  spans: SpanRecord[];
  /** Holds every span, and none of another data set. */
  window: Window;
}

/** Traits by what they are about; the others are usual. */
const THEMES: Record<string, Partial<Traits>> = {
  'usual conversations': {},
  'failed at every step': { failed: 1 },
  'retried steps': { retried: 0.6 },
  'nested steps': { nested: 0.8 },
  'parallel steps': { parallel: 0.7 },
  'interrupted steps': { interrupted: 0.6 },
  'steps of 60 s and more': { tooLong: 0.5 },
  'missing roots': { withoutRoot: 0.9 },
  'missing first steps': { withoutFirstStep: 0.8 },
  'roots without steps': { withoutSteps: 0.7 },
  'several roots': { secondRoot: 0.6, ties: 0.5 },
  'ids used again': { reusedId: 0.6, copied: 0.5 },
  'roots of another framework': { foreignRoot: 0.8, withoutRoot: 0.5 },
  'streams and answers': { streamed: 0.9, secondRoot: 0.3, withoutRoot: 0.3 },
  'everything failed': { failed: 1, retried: 0.8, conversations: 25 },
  'copies that differ': { copied: 0.8 },
  'clocks that step back': { steppedBack: 0.7 },
  'odd texts': { oddTexts: 0.5 },
  'foreign spans and traces': { foreignSpans: 0.9, foreignTraces: 0.3 },
  'random trace ids': { foreignId: 1 },
  'contradicting ids': { contradictingId: 0.5 },
  'traces with one id': { sharedId: 0.6, foreignId: 0.5 },
  'sampled programs': { sampled: 0.8 },
  'attributes of their own': { attributed: 0.8, retried: 0.3, secondRoot: 0.3, withoutRoot: 0.3 },
  ties: { ties: 1, conversations: 20 },
  'no conversation': { conversations: 0 },
  'one conversation': { conversations: 1 },
  'other steps': { steps: ['Übergabe', 'zeta', 'alpha', 'Alpha', 'beta 2', '步骤'], parallel: 0.5 },
  'everything at once': {
    failed: 0.3,
    retried: 0.3,
    nested: 0.3,
    parallel: 0.3,
    interrupted: 0.3,
    tooLong: 0.2,
    copied: 0.3,
    steppedBack: 0.3,
    oddTexts: 0.3,
    sharedId: 0.3,
    secondRoot: 0.3,
    reusedId: 0.3,
    foreignRoot: 0.3,
    streamed: 0.5,
    attributed: 0.5,
    ties: 0.5,
  },
};

/** Zones with half and quarter hours, and with days of 23, 23.5, 24.5 and 25 hours. */
export const TIME_ZONES: readonly string[] = [
  'UTC',
  'Europe/Berlin',
  'America/New_York',
  'Asia/Kolkata',
  'Asia/Kathmandu',
  'Australia/Lord_Howe',
  'America/Sao_Paulo',
  'Pacific/Apia',
];

/** `count` data sets, each in a year of its own, around a change of some clocks where that year has one. */
export function makeDataSets(seedOfRun: number, count: number): DataSet[] {
  const themes = Object.entries(THEMES);
  return Array.from({ length: count }, (_, index) => {
    const [theme, traits] = themes[index % themes.length]!;
    return makeDataSet(`${index}, ${theme}`, seedOfRun + index * 7919, FIRST_YEAR + index, { ...USUAL, ...traits });
  });
}

/** More conversations than decide the step order, and steps that only the older ones have. */
export function makeLargeDataSet(seedOfRun: number, year: number): DataSet {
  // Away from the seeds of the others: equal seeds make equal trace ids.
  const seed = seedOfRun + 3;
  const older = makeDataSet('large', seed, year, {
    ...USUAL,
    conversations: 40,
    steps: ['old', 'tts', 'stt', 'z'],
  });
  const newer = makeDataSet('large', seed + 1, year, {
    ...USUAL,
    conversations: 520,
    steps: ['stt', 'gpt', 'tts'],
  });
  const tenDays = 10n * BigInt(MS_PER_DAY) * NANO_PER_MS;
  const shift = older.window.sinceUnixNano - newer.window.sinceUnixNano + tenDays;
  const moved = newer.spans.map((span) => ({
    ...span,
    traceId: `e${span.traceId.slice(1)}`,
    startTimeUnixNano: span.startTimeUnixNano + shift,
  }));
  return { ...older, name: 'more conversations than decide the step order', spans: [...older.spans, ...moved] };
}

function makeDataSet(name: string, seed: number, year: number, traits: Traits): DataSet {
  const random = seededRandom(seed);
  const middleMs = findClockChange(year, random.pick(TIME_ZONES)) ?? Date.UTC(year, random.whole(1, 10), 15, 12);
  const spreadMs = random.pick([60_000, 3 * 3_600_000, 2 * MS_PER_DAY]);
  const spans = generateSpans({
    random,
    traits,
    prefix: `${year}`,
    startUnixNano: BigInt(middleMs - spreadMs / 2) * NANO_PER_MS,
    spreadMs,
  });
  return {
    name,
    seed,
    spans,
    window: {
      sinceUnixNano: BigInt(middleMs - 20 * MS_PER_DAY) * NANO_PER_MS,
      untilUnixNano: BigInt(middleMs + 20 * MS_PER_DAY) * NANO_PER_MS,
    },
  };
}

/** The first half hour after clocks in the zone were changed, away from the turn of the year; Unix milliseconds. */
function findClockChange(year: number, timeZone: string): number | undefined {
  const halfHours = (Date.UTC(year, 10, 30) - Date.UTC(year, 1, 1)) / 1_800_000;
  const offsetAt = (halfHour: number): number =>
    zoneOffsetSeconds(Date.UTC(year, 1, 1) / 1000 + halfHour * 1800, timeZone);
  for (let day = 48; day < halfHours; day += 48) {
    if (offsetAt(day) === offsetAt(day - 48)) continue;
    for (let halfHour = day - 47; halfHour <= day; halfHour++) {
      if (offsetAt(halfHour) !== offsetAt(halfHour - 1)) return Date.UTC(year, 1, 1) + halfHour * 1_800_000;
    }
  }
  return undefined;
}

import { OUTCOMES } from '@convotel/conventions';
import { MAX_GROUPS } from '@convotel/query';
import type { ConversationFilters, AnyQuestion, GroupBy, SpanRecord, Window } from '@convotel/query';
import { TIME_ZONES } from './data-sets.ts';
import type { DataSet } from './data-sets.ts';
import { ownValueOf, resourceValueOf } from './naive-groups.ts';
import { seededRandom } from './seeded-random.ts';
import type { SeededRandom } from './seeded-random.ts';

/** Questions about one data set that no span of another one can bear on, `rounds` of each kind. */
export function questionsAbout(dataSet: DataSet, rounds: number): AnyQuestion[] {
  const random = seededRandom(dataSet.seed + 1);
  return Array.from({ length: rounds }, () => [
    ...manyConversationsQuestions(random, dataSet.spans, chooseWindow(random, dataSet)),
    { name: 'conversation' as const, conversationId: chooseConversationId(random, dataSet.spans) },
  ]).flat();
}

/** Questions without a window, about everything that a source has. */
export function questionsAboutEverything(seed: number, spans: readonly SpanRecord[], rounds: number): AnyQuestion[] {
  const random = seededRandom(seed);
  return Array.from({ length: rounds }, () => conversationsQuestion(random, spans, undefined));
}

function manyConversationsQuestions(random: SeededRandom, spans: readonly SpanRecord[], window: Window): AnyQuestion[] {
  const choice = (): { window: Window; filters?: ConversationFilters } => ({ window, ...chooseFilters(random, spans) });
  const steps = spans.flatMap(({ step }) => step ?? []);
  const grouping = (): { groupBy?: GroupBy } => (random.chance(0.5) ? { groupBy: chooseGroups(random, spans) } : {});
  return [
    conversationsQuestion(random, spans, window),
    {
      name: 'step-statistics',
      ...choice(),
      ...(random.chance(0.8) && { quantiles: [0, 0.1, 0.25, 0.5, 0.9, 0.99, 1] }),
      ...(random.chance(0.3) && { timings: random.chance(0.3) }),
      ...(random.chance(0.6) && { firstOutput: random.chance(0.9) }),
      ...(random.chance(0.3) && { durationQuantiles: random.chance(0.3) }),
      ...(random.chance(0.5) && { quantileIntervals: random.chance(0.9) }),
      ...(random.chance(0.2) && { step: random.pick([...steps, 'never seen']) }),
      ...grouping(),
    },
    {
      name: 'conversation-counts',
      ...choice(),
      by: random.pick(['hour', 'hourOfDay'] as const),
      timeZone: random.pick(TIME_ZONES),
    },
    {
      name: 'response-statistics',
      ...choice(),
      ...(random.chance(0.8) && { quantiles: [0, 0.5, 0.95, 1] }),
      ...(random.chance(0.5) && { quantileIntervals: random.chance(0.9) }),
      ...(random.chance(0.3) && { coverage: random.chance(0.3) }),
      ...grouping(),
    },
    {
      name: 'common-errors',
      ...choice(),
      limit: chooseLimit(random),
      ...(random.chance(0.3) && { conversationIds: random.chance(0.3) }),
      ...(random.chance(0.3) && { coverage: random.chance(0.3) }),
    },
    {
      name: 'step-durations',
      ...choice(),
      ...grouping(),
      ...(random.chance(0.4) && { traits: random.chance(0.9) }),
      ...(random.chance(0.3) && { steps: random.chance(0.2) }),
    },
    {
      name: 'attribute-values',
      ...choice(),
      attribute: random.pick(GROUPED_BY),
      ...(random.chance(0.2) && { step: random.pick([...steps, 'never seen']) }),
      limit: chooseLimit(random),
    },
    { name: 'sessions', ...choice(), limit: chooseLimit(random) },
    {
      name: 'model-usage',
      ...choice(),
      ...(random.chance(0.7) && { by: random.pick(['day', 'workflow', 'session'] as const) }),
      timeZone: random.pick(TIME_ZONES),
    },
  ];
}

function conversationsQuestion(
  random: SeededRandom,
  spans: readonly SpanRecord[],
  window: Window | undefined,
): AnyQuestion {
  const durations = spans.filter((span) => span.role === 'step').map((span) => span.durationNano);
  return {
    name: 'conversations',
    ...(window && { window }),
    ...chooseFilters(random, spans),
    order: random.pick(['newest', 'longest', 'slowest', 'slowest-response'] as const),
    limit: chooseLimit(random),
    // Some conversations have just one step, and then last exactly this long.
    ...(random.chance(0.4) && { aboveNano: random.pick([0n, 500_000_000n, 5_000_000_000n, ...durations]) }),
  };
}

const GROUPED_BY = [
  'gen_ai.request.model',
  'gen_ai.provider.name',
  'gen_ai.workflow.name',
  'gen_ai.usage.input_tokens',
  'session.id',
  'service.name',
  'service.version',
  'conversation.outcome',
  'conversation.step.name',
  'tenant',
  'constructor',
];

/** Some of the values that spans have of an attribute, and one that none has. */
function chooseGroups(random: SeededRandom, spans: readonly SpanRecord[]): GroupBy {
  const attribute = random.pick(GROUPED_BY);
  const occurring = spans.flatMap((span) => ownValueOf(span, attribute) ?? resourceValueOf(span, attribute) ?? []);
  const values = [...new Set([...occurring, 'never seen'])].filter(() => random.chance(0.6));
  return { attribute, values: values.slice(0, MAX_GROUPS) };
}

function chooseLimit(random: SeededRandom): number {
  return random.pick([1, 2, 3, 10, 10_000]);
}

/** The whole data set, nothing, or a stretch that begins and ends where spans do. */
function chooseWindow(random: SeededRandom, { spans, window }: DataSet): Window {
  const bounds = spans.flatMap(({ startTimeUnixNano: start, durationNano }) => [
    start,
    start + 1n,
    start + durationNano,
  ]);
  const one = random.pick([window.sinceUnixNano, ...bounds]);
  const other = random.pick([window.untilUnixNano, ...bounds]);
  return random.pick([
    window,
    { sinceUnixNano: one, untilUnixNano: one },
    one < other ? { sinceUnixNano: one, untilUnixNano: other } : { sinceUnixNano: other, untilUnixNano: one },
    { sinceUnixNano: one, untilUnixNano: window.untilUnixNano },
    { sinceUnixNano: window.sinceUnixNano, untilUnixNano: other },
  ]);
}

/** None, or any combination of values that the spans have or nearly have. */
function chooseFilters(random: SeededRandom, spans: readonly SpanRecord[]): { filters?: ConversationFilters } {
  if (random.chance(0.4)) return {};
  const filters: ConversationFilters = {};
  const pickText = (texts: (string | undefined)[]): string =>
    random.pick([...texts.flatMap((text) => text ?? []), 'voice-bot', `voice-bot' OR 1=1 --`]);
  if (random.chance(0.4)) filters.service = pickText(spans.map((span) => span.serviceName));
  if (random.chance(0.4)) filters.workflow = pickText(spans.map((span) => span.workflow));
  if (random.chance(0.4)) filters.session = pickText(spans.map((span) => span.sessionId));
  if (random.chance(0.4)) filters.outcome = random.pick([...OUTCOMES, 'completed', 'open'] as const);
  return { filters };
}

/** An id that spans carry, the trace id in hex of either case, or one that nobody has. */
function chooseConversationId(random: SeededRandom, spans: readonly SpanRecord[]): string {
  const traceIds = spans.map((span) => span.traceId);
  return random.pick([
    random.pick(['never seen', ...spans.flatMap((span) => span.conversationId ?? [])]),
    random.pick(['0'.repeat(32), ...traceIds]),
    random.pick(['F'.repeat(32), ...traceIds.map((id) => id.toUpperCase())]),
  ]);
}

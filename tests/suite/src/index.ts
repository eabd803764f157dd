// Building spans
export { encodeOtlpJson } from './encode-otlp-json.ts';
export { foreignSpan, nextSpanId, rootSpan, stepSpan } from './span-builders.ts';
export type { SpanFacts } from './span-builders.ts';
export { ODD_TEXTS } from './odd-texts.ts';
export { seededRandom, seedOfRun } from './seeded-random.ts';
export type { SeededRandom } from './seeded-random.ts';

// Generated conversations
export { makeDataSets, TIME_ZONES } from './data-sets.ts';
export type { DataSet } from './data-sets.ts';
export { generateSpans, USUAL } from './generate-spans.ts';
export type { Traits } from './generate-spans.ts';

// Handing them to a back end
export { deliverSpans, encodeRequests } from './deliver-spans.ts';
export { openBackend } from './open-backend.ts';

// What every source passes
export { describeConversationSource } from './describe-conversation-source.ts';
export type { OpenSource, SuiteOptions } from './describe-conversation-source.ts';
export { differencesBetween } from './differences.ts';
export { NaiveSource } from './naive-source.ts';
export { crowdedSpans } from './worked-cases/steps.ts';

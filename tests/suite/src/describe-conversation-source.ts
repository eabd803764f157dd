import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { MemorySource } from '@convotel/query';
import type { ConversationSource, AnyQuestion, SpanRecord } from '@convotel/query';
import { makeDataSets, makeLargeDataSet } from './data-sets.ts';
import { differencesBetween } from './differences.ts';
import { questionsAbout, questionsAboutEverything } from './questions.ts';
import { seedOfRun } from './seeded-random.ts';
import { askingOf } from './worked-cases/asking.ts';
import { describeConversations } from './worked-cases/conversations.ts';
import { describeFailures } from './worked-cases/failures.ts';
import { describeLists } from './worked-cases/lists.ts';
import { describeSteps } from './worked-cases/steps.ts';

const DATA_SET_COUNT = 120;

/** Behind the years of all other data sets. */
const LAST_YEAR = 2150;

/** Makes a source that has read `spans` in their order. */
export type OpenSource = (spans: SpanRecord[]) => Promise<ConversationSource>;

/** How a source is tested. */
export interface SuiteOptions {
  /** Whose answers are right. @defaultValue `MemorySource` */
  openReference?: OpenSource;
  /** How many questions of each kind are asked about a data set. @defaultValue `2` */
  rounds?: number;
  /** How many generated data sets, each in a year of its own from 1990 on. @defaultValue `120` */
  dataSetCount?: number;
  /** The year of the largest data set, behind all others. @defaultValue `2150` */
  lastYear?: number;
  /** What of the spans of a generated data set the back end can hold. @defaultValue all */
  holdable?: (spans: SpanRecord[]) => SpanRecord[];
}

/**
 * The suite that every `ConversationSource` passes: cases with figures worked out by hand, and generated data sets
 * whose answers agree with those of a reference. All data sets share one source, each in its own stretch of time.
 */
export function describeConversationSource(name: string, open: OpenSource, options: SuiteOptions = {}): void {
  const { openReference = async (spans) => new MemorySource(spans), rounds = 2 } = options;
  const { dataSetCount = DATA_SET_COUNT, lastYear = LAST_YEAR, holdable = (spans) => spans } = options;
  describe(name, () => {
    // Cases with every figure worked out by hand.
    const asking = askingOf(open);
    for (const cases of [describeConversations, describeLists, describeSteps, describeFailures]) cases(asking);

    const seed = seedOfRun();
    // Also when all is well, so that any run can be repeated.
    process.stderr.write(`${name}: CONVOTEL_TEST_SEED=${seed}\n`);
    describe(`generated data sets, CONVOTEL_TEST_SEED=${seed}`, () => {
      const dataSets = [...makeDataSets(seed, dataSetCount), makeLargeDataSet(seed, lastYear)].map((dataSet) => ({
        ...dataSet,
        spans: holdable(dataSet.spans),
      }));
      const allSpans = dataSets.flatMap(({ spans }) => spans);
      let source: ConversationSource;
      beforeAll(async () => {
        source = await open(allSpans);
      });
      afterAll(async () => {
        await source.close();
      });

      const expectAgreement = async (spans: SpanRecord[], questions: readonly AnyQuestion[]): Promise<void> => {
        const reference = await openReference(spans);
        for (const question of questions) {
          const [actual, expected] = [await source.ask(question), await reference.ask(question)];
          const differences = differencesBetween(actual, expected);
          expect({ question, differences }).toEqual({ question, differences: [] });
        }
      };

      test.each(dataSets)('data set $name', async (dataSet) => {
        await expectAgreement(dataSet.spans, questionsAbout(dataSet, rounds));
      });

      test('all data sets together', async () => {
        await expectAgreement(allSpans, questionsAboutEverything(seed, allSpans, 8));
      });
    });
  });
}

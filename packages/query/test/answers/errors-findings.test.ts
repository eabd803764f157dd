import { describe, expect, test } from '@jest/globals';
import { commonCause, fallBack, monitorCause, remedyCause, retryFailures } from '../../src/answers/common-errors.ts';
import type { CommonErrorRow } from '../../src/answers/common-errors.ts';
import {
  errorsInOneStep,
  highErrorRate,
  neverFailingSteps,
  noFailures,
  reliableStep,
} from '../../src/answers/errors.ts';
import { lowestSuccess } from '../../src/answers/success.ts';
import type { ErrorsFacts, StepErrorRow } from '../../src/answers/errors.ts';
import { errorRow, textsOf } from './facts-for-tests.ts';

function facts(rows: StepErrorRow[], commonErrors: CommonErrorRow[] = []): ErrorsFacts {
  return { rows, commonErrors };
}

function commonError(step: string, message: string, count = 1): CommonErrorRow {
  return { step, message, count, lastSeen: '2025-10-08T12:30:22.123456Z', conversationId: 'conversation-1' };
}

const RATE_LIMIT = 'API rate limit exceeded';

test('high-error-rate appears from 5 % on and exclaims from 10 % on', () => {
  expect(highErrorRate(facts([errorRow('listen', 499, 10_000)]))).toEqual([]);
  expect(textsOf(highErrorRate(facts([errorRow('listen', 5, 100)])))).toEqual(['Listen has 5% error rate']);
  expect(textsOf(highErrorRate(facts([errorRow('llm', 999, 10_000)])))).toEqual(['LLM has 9.99% error rate']);
  expect(textsOf(highErrorRate(facts([errorRow('llm', 1, 10), errorRow('tts', 2, 2)])))).toEqual([
    'LLM has 10% error rate - unacceptably high!',
    'TTS has 100% error rate - unacceptably high!',
  ]);
});

describe('errors-in-one-step', () => {
  test('says where all errors are, and why where all are of one kind', () => {
    const rows = [errorRow('stt', 0, 4), errorRow('llm', 2, 4)];
    expect(textsOf(errorsInOneStep(facts(rows)))).toEqual(['All errors are in LLM step']);
    expect(textsOf(errorsInOneStep(facts(rows, [commonError('llm', RATE_LIMIT)])))).toEqual([
      'All errors are in LLM step (API issues)',
    ]);
    expect(
      textsOf(errorsInOneStep(facts(rows, [commonError('llm', RATE_LIMIT), commonError('llm', 'timed out')]))),
    ).toEqual(['All errors are in LLM step']);
    expect(textsOf(errorsInOneStep(facts(rows, [commonError('llm', RATE_LIMIT), commonError('llm', 'odd')])))).toEqual([
      'All errors are in LLM step',
    ]);
  });

  test('says where most are, above one half', () => {
    expect(textsOf(errorsInOneStep(facts([errorRow('stt', 1, 4), errorRow('llm', 2, 4)])))).toEqual([
      'Most errors are in LLM step (2 of 3)',
    ]);
    expect(errorsInOneStep(facts([errorRow('stt', 2, 4), errorRow('llm', 2, 4)]))).toEqual([]);
    expect(errorsInOneStep(facts([errorRow('stt', 499, 600), errorRow('llm', 501, 600)]))).toHaveLength(1);
  });

  test('stays away without errors and with a single step', () => {
    expect(errorsInOneStep(facts([errorRow('stt', 0, 4), errorRow('llm', 0, 4)]))).toEqual([]);
    expect(errorsInOneStep(facts([errorRow('llm', 2, 4)]))).toEqual([]);
    expect(errorsInOneStep(facts([]))).toEqual([]);
  });
});

test('reliable-step is the one right before the first failure', () => {
  const rows = [errorRow('listen', 0, 4), errorRow('asr', 0, 4), errorRow('llm', 1, 4), errorRow('speak', 1, 3)];
  expect(textsOf(reliableStep(facts(rows)))).toEqual(['ASR is 100% reliable']);
  expect(reliableStep(facts([errorRow('listen', 1, 4), errorRow('asr', 0, 4)]))).toEqual([]);
  expect(reliableStep(facts([errorRow('listen', 0, 4)]))).toEqual([]);
});

test('never-failing-steps are those after the first failure without one', () => {
  const failing = errorRow('llm', 1, 4);
  expect(textsOf(neverFailingSteps(facts([failing, errorRow('speak', 0, 3), errorRow('play', 0, 3)])))).toEqual([
    'Speak/Play never fail',
  ]);
  expect(textsOf(neverFailingSteps(facts([failing, errorRow('speak', 1, 3), errorRow('tts', 0, 3)])))).toEqual([
    'TTS never fails',
  ]);
  expect(neverFailingSteps(facts([errorRow('speak', 0, 3), failing]))).toEqual([]);
  expect(neverFailingSteps(facts([errorRow('speak', 0, 3), errorRow('play', 0, 3)]))).toEqual([]);
});

test('no-failures appears only where there are calls and none failed', () => {
  expect(textsOf(noFailures(facts([errorRow('asr', 0, 4), errorRow('llm', 0, 3)])))).toEqual([
    'No failure in 7 step calls',
  ]);
  expect(noFailures(facts([errorRow('asr', 0, 4), errorRow('llm', 1, 3)]))).toEqual([]);
  expect(noFailures(facts([]))).toEqual([]);
});

describe('advice', () => {
  const advise = (given: ErrorsFacts): string[] =>
    textsOf([...retryFailures(given), ...remedyCause(given), ...fallBack(given), ...monitorCause(given)]);

  test('follows the cause', () => {
    expect(advise(facts([errorRow('llm', 1, 20)], [commonError('llm', RATE_LIMIT)]))).toEqual([
      'Add retry logic for LLM failures',
      'Implement exponential backoff for rate limits',
      'Add fallback responses for when LLM fails',
      'Monitor API quotas more closely',
    ]);
  });

  test('does not repeat a call that cannot succeed', () => {
    expect(advise(facts([errorRow('asr', 1, 20)], [commonError('asr', 'Incorrect API key provided')]))).toEqual([
      'Check the credentials and their permissions',
      'Ask the user to repeat when ASR fails',
      'Monitor when credentials expire',
    ]);
  });

  test('asks for the cause where it is unknown', () => {
    expect(advise(facts([errorRow('ponder', 1, 20)], [commonError('ponder', 'the parrot is dead')]))).toEqual([
      'Find out why ponder fails (its messages are under common-errors)',
      'Add a fallback for when ponder fails',
    ]);
  });

  test('is about the two worst steps, and names what they share once', () => {
    const rows = [errorRow('asr', 2, 20), errorRow('llm', 9, 20), errorRow('speak', 3, 20)];
    const errors = rows.map(({ step }) => commonError(step, RATE_LIMIT));
    expect(advise(facts(rows, errors))).toEqual([
      'Add retry logic for LLM failures',
      'Add retry logic for speak failures',
      'Implement exponential backoff for rate limits',
      'Add fallback responses for when LLM fails',
      'Show the answer as text when speak fails',
      'Monitor API quotas more closely',
    ]);
  });

  test('rests on the causes that it speaks of', () => {
    const rows = [errorRow('llm', 9, 20), errorRow('asr', 2, 20)];
    const given = facts(rows, [commonError('llm', RATE_LIMIT), commonError('asr', 'HTTP 401')]);
    expect(monitorCause(given).map(({ evidence }) => evidence)).toEqual([
      { causes: ['API rate limit'] },
      { causes: ['rejected credentials'] },
    ]);
  });

  test('stays away below 5 %', () => {
    expect(advise(facts([errorRow('llm', 1, 21)], [commonError('llm', RATE_LIMIT)]))).toEqual([]);
  });
});

test('lowest-success names the step that completes least often', () => {
  const row = (step: string, completed: number, total: number) => ({
    step,
    total,
    completed,
    successRatePct: (completed / total) * 100,
    retried: 0,
  });
  expect(textsOf(lowestSuccess({ rows: [row('asr', 4, 4), row('llm', 3, 4)] }))).toEqual([
    'LLM completes least often: 75% (3 of 4)',
  ]);
  expect(textsOf(lowestSuccess({ rows: [row('llm', 3, 4)] }))).toEqual(['LLM completes 75% (3 of 4)']);
  expect(textsOf(lowestSuccess({ rows: [row('asr', 4, 4), row('llm', 3, 3)] }))).toEqual([
    'All 7 step calls completed',
  ]);
  expect(lowestSuccess({ rows: [row('asr', 3, 4), row('llm', 6, 8)] })).toEqual([]);
  expect(lowestSuccess({ rows: [] })).toEqual([]);
});

test('common-cause appears above one half of the errors listed', () => {
  const rows = (limited: number, odd: number) => ({
    rows: [commonError('llm', RATE_LIMIT, limited), commonError('asr', 'the parrot is dead', odd)],
  });
  expect(textsOf(commonCause(rows(2, 1)))).toEqual([
    '2 of 3 errors listed are due to API rate limit',
    'Implement exponential backoff for rate limits',
  ]);
  expect(commonCause(rows(1, 1))).toEqual([]);
  expect(commonCause(rows(501, 499))).toHaveLength(2);
  expect(commonCause(rows(1, 2))).toEqual([]);
  expect(textsOf(commonCause({ rows: [commonError('llm', RATE_LIMIT)] }))[0]).toBe(
    'The error listed is due to API rate limit',
  );
  expect(commonCause({ rows: [] })).toEqual([]);
});

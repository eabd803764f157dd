import { expect, test } from '@jest/globals';
import { samplingWarnings } from '@convotel/query/engine';

test('warns once of each program that keeps only a share, by name', () => {
  const warnings = samplingWarnings([
    { serviceName: 'voice-bot', samplingRatio: 0.5 },
    { serviceName: 'chat-bot', samplingRatio: 0.1 },
    { serviceName: 'voice-bot', samplingRatio: 0.5 },
    { serviceName: 'voice-bot', samplingRatio: 0.25 },
    { samplingRatio: 0 },
  ]);
  expect(new Set(warnings.map(({ code }) => code))).toEqual(new Set(['sampled']));
  expect(warnings.map(({ text }) => text)).toEqual([
    'A program without a name keeps only a share of 0 of its conversations: counts are of those kept, not of all.',
    'The program "chat-bot" keeps only a share of 0.1 of its conversations: counts are of those kept, not of all.',
    'The program "voice-bot" keeps only a share of 0.25 of its conversations: counts are of those kept, not of all.',
    'The program "voice-bot" keeps only a share of 0.5 of its conversations: counts are of those kept, not of all.',
  ]);
});

test('keeps silent where nothing is left out', () => {
  expect(samplingWarnings([{ samplingRatio: 1 }, {}, { samplingRatio: 7 }, { samplingRatio: Number.NaN }])).toEqual([]);
});

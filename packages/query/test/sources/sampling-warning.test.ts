import { expect, test } from '@jest/globals';
import { samplingWarnings } from '@convotel/query/engine';

test('warns once of each program that samples, by name', () => {
  const warnings = samplingWarnings([
    { serviceName: 'voice-bot', samplingRatio: 0.5 },
    { serviceName: 'chat-bot', samplingRatio: 0.1 },
    { serviceName: 'voice-bot', samplingRatio: 0.5 },
    { serviceName: 'voice-bot', samplingRatio: 0.25 },
    { samplingRatio: 0 },
  ]);
  expect(new Set(warnings.map(({ code }) => code))).toEqual(new Set(['sampled']));
  expect(warnings.map(({ text }) => text)).toEqual([
    'A program without a name samples its conversations at a ratio of 0: counts are of the sampled ones, not of all.',
    'The program "chat-bot" samples its conversations at a ratio of 0.1: counts are of the sampled ones, not of all.',
    'The program "voice-bot" samples its conversations at a ratio of 0.25: counts are of the sampled ones, not of all.',
    'The program "voice-bot" samples its conversations at a ratio of 0.5: counts are of the sampled ones, not of all.',
  ]);
});

test('keeps silent where nothing is left out', () => {
  expect(samplingWarnings([{ samplingRatio: 1 }, {}, { samplingRatio: 7 }, { samplingRatio: Number.NaN }])).toEqual([]);
});

import { expect, test } from '@jest/globals';
import { medianCall, slowOutliers, slowTail } from '../../src/answers/percentiles.ts';
import { percentilesFacts, textsOf } from './facts-for-tests.ts';

test('median-call speaks from 2 calls on, in seconds or milliseconds', () => {
  expect(medianCall(percentilesFacts(1, { p50: 3421.8 }))).toEqual([]);
  expect(medianCall(percentilesFacts(0, {}))).toEqual([]);
  expect(textsOf(medianCall(percentilesFacts(2, { p50: 3421.8 })))).toEqual(['50% of GPT calls complete in <3.4s']);
  expect(textsOf(medianCall(percentilesFacts(2, { p50: 421.8 })))).toEqual(['50% of GPT calls complete in <422ms']);
  expect(textsOf(medianCall(percentilesFacts(2, { p50: 999.6 })))).toEqual(['50% of GPT calls complete in <1.0s']);
  expect(textsOf(medianCall(percentilesFacts(2, { p50: 0 })))).toEqual(['50% of GPT calls complete in <0.1ms']);
});

test('slow-tail speaks from 10 calls on, and calls it a tail from 1.25 medians on', () => {
  expect(slowTail(percentilesFacts(9, { p50: 1000, p90: 1250 }))).toEqual([]);
  expect(textsOf(slowTail(percentilesFacts(10, { p50: 1000, p90: 1250 })))).toEqual([
    '10% take >1.3s (slow tail latency)',
  ]);
  expect(textsOf(slowTail(percentilesFacts(10, { p50: 1000, p90: 1249 })))).toEqual(['10% take >1.2s']);
  expect(slowTail(percentilesFacts(10, { p50: 0, p90: 0 }))).toEqual([]);
  expect(slowTail(percentilesFacts(0, {}))).toEqual([]);
});

test('slow-outliers speaks from 40 calls on and from 1.5 medians on', () => {
  expect(slowOutliers(percentilesFacts(39, { p50: 1000, p99: 1500 }))).toEqual([]);
  expect(slowOutliers(percentilesFacts(40, { p50: 1000, p99: 1499 }))).toEqual([]);
  expect(textsOf(slowOutliers(percentilesFacts(40, { p50: 1000, p99: 1500 })))).toEqual([
    '1% take >1.5s (very slow outliers)',
  ]);
  expect(slowOutliers(percentilesFacts(40, { p50: 0, p99: 0 }))).toEqual([]);
  expect(slowOutliers(percentilesFacts(0, {}))).toEqual([]);
});

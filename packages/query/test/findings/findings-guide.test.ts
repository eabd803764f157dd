import { readFile } from 'node:fs/promises';
import { expect, test } from '@jest/globals';
import { THRESHOLD } from '@convotel/conventions';
import {
  CALLS_FOR_SPREAD,
  FAIRLY_CONSISTENT_BELOW_PCT,
  STEPS_JUDGED_ALONE,
  VERY_CONSISTENT_BELOW_PCT,
} from '../../src/answers/averages.ts';
import { ADVISED_STEPS, COMMON_CAUSE_ABOVE_PCT, PROBLEM_FROM_PCT } from '../../src/answers/common-errors.ts';
import { WORTH_SAYING_FROM_PCT, RISEN_FROM_POINTS } from '../../src/answers/compare/compare-findings.ts';
import { BOTTLENECK_FROM_PCT, UNATTRIBUTED_FROM_PCT } from '../../src/answers/conversation/step-findings.ts';
import { CONVERSATIONS_TO_CORRELATE, CORRELATED_FROM } from '../../src/answers/correlation.ts';
import { MOST_ABOVE_PCT, UNACCEPTABLE_FROM_PCT } from '../../src/answers/errors.ts';
import {
  CALLS_TO_COMPARE,
  GAPS_FROM_PCT,
  PART_FROM_PCT,
  PARTS_NAMED,
  RETRIED_NAMED,
  UNUSUAL_FROM_PCT,
  UNUSUAL_NAMED,
} from '../../src/answers/explain/explain.ts';
import {
  CALLS_FOR_MEDIAN,
  CALLS_FOR_OUTLIERS,
  OUTLIERS_FROM_MEDIANS,
  CALLS_FOR_TAIL,
  TAIL_FROM_MEDIANS,
} from '../../src/answers/percentiles.ts';
import { SATISFYING_FROM_PCT, UNSATISFYING_BELOW_PCT } from '../../src/answers/satisfaction.ts';
import { DOMINATES_FROM_PCT, TIMEOUT_FROM_TARGETS } from '../../src/answers/slow.ts';
import { readRules } from './rules-by-command.ts';

const guide = await readDocument('findings.md');
const conventions = await readDocument('conventions.md');
const rules = await readRules();
const rows = new Map(
  [...guide.matchAll(/^\| `([a-z-]+)` +\| ([a-z, -]+?) +\| (.+?) +\|$/gm)].map(([, rule, commands, when]) => [
    rule!,
    { commands: commands!.split(', '), when: when! },
  ]),
);

test('the guide lists every rule with its commands, and no other', () => {
  const commandsByRule: Record<string, string[]> = {};
  for (const [command, { ruleName }] of [...rules.byCommand].flatMap(([name, list]) =>
    list.map((rule) => [name, rule] as const),
  )) {
    commandsByRule[ruleName] = [...(commandsByRule[ruleName] ?? []), command].toSorted();
  }
  const documented = Object.fromEntries([...rows].map(([rule, { commands }]) => [rule, commands.toSorted()]));
  expect(documented).toEqual(commandsByRule);
});

test('every rule serves a command, and no two have one name', () => {
  const used = new Set([...rules.byCommand.values()].flat());
  expect([...rules.all].filter((rule) => !used.has(rule)).map(({ ruleName }) => ruleName)).toEqual([]);
  expect(new Set([...rules.all].map(({ ruleName }) => ruleName)).size).toBe(rules.all.size);
});

test('the contract shows findings of rules that exist', () => {
  const named = [...conventions.matchAll(/"rule": "([^"]+)",\s+"severity"/g)].map((match) => match[1]!);
  expect(named.length).toBeGreaterThan(0);
  const known = new Set([...rules.all].map(({ ruleName }) => ruleName));
  expect(named.filter((name) => !known.has(name))).toEqual([]);
});

test.each([
  ['bottleneck-step', `${BOTTLENECK_FROM_PCT} % of the conversation`],
  ['unattributed-time', `${UNATTRIBUTED_FROM_PCT} % of the conversation`],
  ['over-target', `(${THRESHOLD.targetMs / 1000} s)`],
  ['step-spread', `under ${VERY_CONSISTENT_BELOW_PCT} % very consistent`],
  ['step-spread', `under ${FAIRLY_CONSISTENT_BELOW_PCT} % fairly`],
  ['step-spread', `from ${CALLS_FOR_SPREAD} calls on`],
  ['step-spread', `of more than ${STEPS_JUDGED_ALONE} steps`],
  ['median-call', `${CALLS_FOR_MEDIAN} calls or more`],
  ['slow-tail', `${CALLS_FOR_TAIL} calls or more`],
  ['slow-tail', `${TAIL_FROM_MEDIANS} times the median`],
  ['slow-outliers', `${CALLS_FOR_OUTLIERS} calls or more`],
  ['slow-outliers', `${OUTLIERS_FROM_MEDIANS} times the median`],
  ['dominating-step', `${DOMINATES_FROM_PCT} % of their time`],
  ['consider-timeout', `${TIMEOUT_FROM_TARGETS} times the target`],
  ['high-error-rate', `${PROBLEM_FROM_PCT} % of its calls`],
  ['high-error-rate', `unacceptable from ${UNACCEPTABLE_FROM_PCT} % on`],
  ['errors-in-one-step', `more than ${MOST_ABOVE_PCT} %`],
  ['retry-failures', `(from ${PROBLEM_FROM_PCT} % on; the ${ADVISED_STEPS} worst)`],
  ['common-cause', `more than ${COMMON_CAUSE_ABOVE_PCT} %`],
  ['step-change', `${WORTH_SAYING_FROM_PCT} % of its average`],
  ['more-errors', `${RISEN_FROM_POINTS} percentage points`],
  ['where-time-went', `${PART_FROM_PCT} % of the conversation or more: the ${PARTS_NAMED} longest`],
  ['unusual-step', `${CALLS_TO_COMPARE} calls or more to compare with: the ${UNUSUAL_NAMED} worst`],
  ['unusual-step', `longer than ${UNUSUAL_FROM_PCT} %`],
  ['retried-steps', `the ${RETRIED_NAMED} most expensive`],
  ['gaps', `${GAPS_FROM_PCT} % of the conversation`],
  ['satisfaction-verdict', `${SATISFYING_FROM_PCT} % or more`],
  ['satisfaction-verdict', `below ${UNSATISFYING_BELOW_PCT} %`],
  ['duration-correlation', `±${CORRELATED_FROM} on over ${CONVERSATIONS_TO_CORRELATE} conversations`],
  ['no-correlation', `fewer than ${CONVERSATIONS_TO_CORRELATE} conversations`],
])('the guide gives the threshold of %s: %s', (rule, words) => {
  expect(rows.get(rule)?.when).toContain(words);
});

function readDocument(name: string): Promise<string> {
  return readFile(new URL(`../../../../docs/${name}`, import.meta.url), 'utf8');
}

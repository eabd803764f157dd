import { readFile } from 'node:fs/promises';
import { expect, test } from '@jest/globals';
import { THRESHOLD, WALL_DIFFERS_FROM_PCT } from '@convotel/conventions';
import { WORTH_SAYING_FROM_PCT } from '../../src/findings/compared-rows.ts';
import { ADVISED_STEPS, PROBLEM_FROM_PCT } from '../../src/findings/failing-steps.ts';
import { RISEN_FROM_POINTS } from '../../src/findings/risen-error-rates.ts';
import { RULES_BY_COMMAND } from '../../src/findings/rules-by-command.ts';
import { BOTTLENECK_FROM_PCT } from '../../src/findings/rules/bottleneck-step.ts';
import { COMMON_CAUSE_FROM_PCT } from '../../src/findings/rules/common-cause.ts';
import { TIMEOUT_FROM_TARGETS } from '../../src/findings/rules/consider-timeout.ts';
import { MOST_FROM_PCT } from '../../src/findings/rules/errors-in-one-step.ts';
import { UNACCEPTABLE_FROM_PCT } from '../../src/findings/rules/high-error-rate.ts';
import { CALLS_FOR_MEDIAN } from '../../src/findings/rules/median-call.ts';
import { CALLS_FOR_OUTLIERS, OUTLIERS_FROM_MEDIANS } from '../../src/findings/rules/slow-outliers.ts';
import { CALLS_FOR_TAIL, TAIL_FROM_MEDIANS } from '../../src/findings/rules/slow-tail.ts';
import {
  CALLS_FOR_SPREAD,
  FAIRLY_CONSISTENT_BELOW_PCT,
  VERY_CONSISTENT_BELOW_PCT,
} from '../../src/findings/rules/step-spread.ts';
import { UNATTRIBUTED_FROM_PCT } from '../../src/findings/rules/unattributed-time.ts';
import { DOMINATES_FROM_PCT } from '../../src/findings/slowest-step.ts';

const guide = await readFile(new URL('../../../../docs/findings.md', import.meta.url), 'utf8');
const rows = new Map(
  [...guide.matchAll(/^\| `([a-z-]+)` +\| ([a-z, -]+?) +\| (.+?) +\|$/gm)].map(([, rule, commands, when]) => [
    rule!,
    { commands: commands!.split(', '), when: when! },
  ]),
);

test('the guide lists every rule with its commands, and no other', () => {
  const commandsByRule = new Map<string, string[]>();
  for (const [command, rules] of Object.entries(RULES_BY_COMMAND)) {
    for (const rule of rules) {
      const name = kebabCase(rule.name);
      commandsByRule.set(name, [...(commandsByRule.get(name) ?? []), kebabCase(command)]);
    }
  }
  const documented = [...rows].map(([rule, { commands }]) => [rule, commands.toSorted()] as const);
  const existing = [...commandsByRule].map(([rule, commands]) => [rule, commands.toSorted()] as const);
  expect(documented.toSorted(byRule)).toEqual(existing.toSorted(byRule));
});

test.each([
  ['total-duration', `more than ${WALL_DIFFERS_FROM_PCT} %`],
  ['bottleneck-step', `${BOTTLENECK_FROM_PCT} % of the total`],
  ['unattributed-time', `${UNATTRIBUTED_FROM_PCT} % of the wall clock`],
  ['over-target', `(${THRESHOLD.targetMs / 1000} s)`],
  ['step-spread', `under ${VERY_CONSISTENT_BELOW_PCT} % very consistent`],
  ['step-spread', `under ${FAIRLY_CONSISTENT_BELOW_PCT} % fairly`],
  ['step-spread', `from ${CALLS_FOR_SPREAD} calls on`],
  ['median-call', `${CALLS_FOR_MEDIAN} calls or more`],
  ['slow-tail', `${CALLS_FOR_TAIL} calls or more`],
  ['slow-tail', `${TAIL_FROM_MEDIANS} times the median`],
  ['slow-outliers', `${CALLS_FOR_OUTLIERS} calls or more`],
  ['slow-outliers', `${OUTLIERS_FROM_MEDIANS} times the median`],
  ['dominating-step', `${DOMINATES_FROM_PCT} % of the completed time`],
  ['consider-timeout', `${TIMEOUT_FROM_TARGETS} times the target`],
  ['high-error-rate', `${PROBLEM_FROM_PCT} % of its calls`],
  ['high-error-rate', `unacceptable from ${UNACCEPTABLE_FROM_PCT} % on`],
  ['errors-in-one-step', `more than ${MOST_FROM_PCT} %`],
  ['retry-failures', `(from ${PROBLEM_FROM_PCT} % on; the ${ADVISED_STEPS} worst)`],
  ['common-cause', `more than ${COMMON_CAUSE_FROM_PCT} %`],
  ['step-change', `${WORTH_SAYING_FROM_PCT} % of its average`],
  ['more-errors', `${RISEN_FROM_POINTS} percentage points`],
])('the guide gives the threshold of %s: %s', (rule, words) => {
  expect(rows.get(rule)?.when).toContain(words);
});

function byRule([a]: readonly [string, ...unknown[]], [b]: readonly [string, ...unknown[]]): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

function kebabCase(name: string): string {
  return name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
}

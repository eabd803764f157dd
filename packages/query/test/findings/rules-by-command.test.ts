import { readdir, readFile } from 'node:fs/promises';
import { describe, expect, test } from '@jest/globals';
import { OUTCOMES } from '@convotel/conventions';
import type { ComparisonRow, PercentileName } from '../../src/answers/data.ts';
import { findAll } from '../../src/findings/find-all.ts';
import type { Finding } from '../../src/findings/finding.ts';
import { RULES_BY_COMMAND } from '../../src/findings/rules-by-command.ts';
import { averageRow, errorRow, slowRow, summaryFacts } from './facts-for-tests.ts';

const RULES_FOLDER = new URL('../../src/findings/rules/', import.meta.url);

test('every rule in the folder serves a command', async () => {
  const files = (await readdir(RULES_FOLDER)).map((name) => name.replace(/\.ts$/, ''));
  const registered = new Set(
    Object.values(RULES_BY_COMMAND).flatMap((rules) => rules.map((rule) => kebabCase(rule.name))),
  );
  expect([...registered].toSorted()).toEqual(files.toSorted());
});

test('a finding is named after the file of its rule', async () => {
  for (const file of await readdir(RULES_FOLDER)) {
    const source = await readFile(new URL(file, RULES_FOLDER), 'utf8');
    const names = [...source.matchAll(/\brule: '([^']+)'/g)].map((match) => match[1]);
    expect(new Set(names)).toEqual(new Set([file.replace(/\.ts$/, '')]));
  }
});

describe('whatever the facts are, the findings are sentences with numbers behind them', () => {
  const numbers = [0, 0.04, 1, 999.99, 7000, 123_456.789];
  const names = ['llm', 'response', 'a b', ''];

  test('summary, timeline and trace', () => {
    for (const outcome of [...OUTCOMES, 'open'] as const) {
      for (const stepOutcome of OUTCOMES) {
        for (const durationMs of numbers) {
          const facts = {
            ...summaryFacts(
              names.map((step, index) => ({ step, durationMs, outcome: stepOutcome, depth: index % 2 })),
              { outcome, wallMs: durationMs, unattributedMs: durationMs / 2 },
            ),
            missingSteps: names,
          };
          expectSentences(findAll(RULES_BY_COMMAND.summary, facts));
          expectSentences(findAll(RULES_BY_COMMAND.timeline, facts));
          expectSentences(findAll(RULES_BY_COMMAND.trace, facts));
        }
      }
    }
  });

  test('averages, percentiles and slow', () => {
    for (const least of numbers) {
      for (const most of numbers.filter((value) => value >= least)) {
        for (const count of [1, 5, 45]) {
          const rows = names.map((step) => averageRow(step, (least + most) / 2, least, most, { count }));
          expectSentences(findAll(RULES_BY_COMMAND.averages, { rows, meanTotalMs: most }));
          const percentiles = { p50: least, p90: most, p99: most } as Record<PercentileName, number>;
          const data = { step: '', count, leftOut: { tooLong: 0, notCompleted: 0 }, percentiles };
          expectSentences(findAll(RULES_BY_COMMAND.percentiles, { data }));
        }
        expectSentences(
          findAll(RULES_BY_COMMAND.slow, {
            rows: [slowRow(least), slowRow(most)],
            thresholdMs: least,
            targetMs: most,
            completedMsByStep: Object.fromEntries(names.map((step) => [step, least])),
          }),
        );
      }
    }
  });

  test('errors, success, common-errors and compare', () => {
    for (const failures of [0, 1, 10]) {
      const rows = names.map((step) => errorRow(step, failures, 10));
      const commonErrors = names.map((step) => ({
        step,
        count: 1,
        lastSeen: '2025-10-08T12:30:22.123456Z',
        conversationId: 'c',
      }));
      expectSentences(findAll(RULES_BY_COMMAND.errors, { rows, commonErrors }));
      expectSentences(findAll(RULES_BY_COMMAND.commonErrors, { rows: commonErrors }));
      const successRows = rows.map(({ step, total }) => ({ step, total, completed: 10 - failures, successRatePct: 1 }));
      expectSentences(findAll(RULES_BY_COMMAND.success, { rows: successRows }));
    }
    const verdicts = ['faster', 'slower', 'no clear change', 'too few'] as const;
    for (const verdict of verdicts) {
      const full: ComparisonRow = {
        step: 'conversation',
        before: { count: 10, averageMs: 0, errorRatePct: 0 },
        after: { count: 10, averageMs: 5, errorRatePct: 100 },
        deltaMs: 5,
        verdict,
      };
      const empty: ComparisonRow = { step: '', before: { count: 0 }, after: { count: 0 }, verdict };
      for (const row of [full, empty]) expectSentences(findAll(RULES_BY_COMMAND.compare, { rows: [full, empty, row] }));
    }
  });
});

function expectSentences(findings: Finding[]): void {
  for (const { text, evidence } of findings) {
    expect(text).not.toMatch(/NaN|Infinity|undefined|null|\[object|-0\b/);
    expect(text.trim()).not.toBe('');
    for (const value of Object.values(evidence)) {
      expect(value).toBeDefined();
      expect(value).not.toBeNaN();
    }
  }
}

function kebabCase(name: string): string {
  return name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
}

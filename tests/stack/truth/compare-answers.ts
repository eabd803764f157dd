import type { Report } from '@convotel/query';
import { differencesBetween } from '@convotel/suite';

/**
 * Where two answers differ, as sentences: data and findings field by field, and how much they rest on. Ids that a
 * program drew by chance are compared only on request, since a plan does not know them.
 */
export function differencesOfAnswers(
  actual: Report<string, unknown>,
  expected: Report<string, unknown>,
  { withSpanIds = false } = {},
): string[] {
  const [left, right] = [actual, expected].map((answer) => plain(answer, withSpanIds)) as [Plain, Plain];
  return [
    ...differencesBetween(left.data, right.data, 'data'),
    ...differencesBetween(left.coverage, right.coverage, 'coverage'),
    ...differencesBetween(left.words, right.words, 'findings'),
    // What findings rest on are figures under all kinds of names.
    ...differencesBetween(left.evidence, right.evidence, 'evidence', true),
  ];
}

interface Plain {
  data: unknown;
  coverage: unknown;
  words: string[];
  evidence: unknown[];
}

/** As it stands in the printed JSON: nothing that is absent, no types. */
function plain(answer: Report<string, unknown>, withSpanIds: boolean): Plain {
  const { data, coverage, findings } = JSON.parse(
    JSON.stringify(answer, (key, value: unknown) => (key === 'spanId' && !withSpanIds ? undefined : value)),
  ) as Report<string, unknown>;
  return {
    data,
    coverage,
    words: findings.map(({ rule, severity, text }) => `${rule} ${severity} ${text}`),
    evidence: findings.map(({ evidence }) => evidence),
  };
}

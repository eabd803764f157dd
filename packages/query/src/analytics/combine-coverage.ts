import type { Coverage } from '../model/coverage.ts';

/**
 * The coverage of an answer that several questions about the same spans were asked for: the counts of the first,
 * complete when all were, every warning once.
 */
export function coverageOfSameSpans(first: Coverage, ...others: readonly Coverage[]): Coverage {
  const all = [first, ...others];
  return {
    conversations: first.conversations,
    spans: first.spans,
    complete: all.every(({ complete }) => complete),
    warnings: [...new Map(all.flatMap(({ warnings }) => warnings.map((warning) => [warning.text, warning]))).values()],
  };
}

/**
 * The coverage of an answer from two windows: the counts added up, complete when both are, every warning once.
 * A conversation with spans in both windows counts in both.
 */
export function coverageOfBothWindows(before: Coverage, after: Coverage): Coverage {
  return {
    ...coverageOfSameSpans(before, after),
    conversations: before.conversations + after.conversations,
    spans: before.spans + after.spans,
  };
}

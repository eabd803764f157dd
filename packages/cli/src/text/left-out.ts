import type { LeftOut } from '@convotel/query';

/** The line on what a table does not count, such as `Left out: gpt 2 not completed, 1 of 60s or more`; often none. */
export function leftOutLines(rows: readonly { step: string; leftOut: LeftOut }[]): string[] {
  const parts = rows.flatMap(({ step, leftOut }) => {
    const reasons = [
      ...(leftOut.notCompleted > 0 ? [`${leftOut.notCompleted} not completed`] : []),
      ...(leftOut.tooLong > 0 ? [`${leftOut.tooLong} of 60s or more`] : []),
    ];
    return reasons.length === 0 ? [] : [`${step} ${reasons.join(', ')}`];
  });
  return parts.length === 0 ? [] : [`Left out: ${parts.join('; ')}`];
}

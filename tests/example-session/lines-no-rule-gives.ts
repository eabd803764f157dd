/** A line of the example that cannot come out of the data, and what stands in its place. */
export interface UngivenLine {
  step: string;
  line: string;
  /** What convotel prints there; absent where it prints nothing. */
  instead?: string;
  reason: string;
}

/** The lines of `voice-session.txt`, ten at most, that no rule gives. */
export const LINES_NO_RULE_GIVES: readonly UngivenLine[] = [
  {
    step: 'step 6',
    line: '20251008_153467_n7o8p9q0                 8.123     5   2025-10-08T15:34:67',
    instead: '20251008_153467_n7o8p9q0                 8.123     5   2025-10-08T15:35:07',
    reason: 'no clock shows 15:34:67',
  },
  {
    step: 'step 7',
    line: '• STT is 100% reliable (Whisper is robust)',
    instead: '• STT is 100% reliable',
    reason: 'which product does the step is not in the spans',
  },
  { step: 'step 8', line: '='.repeat(80), reason: 'banner of a script that runs three commands; it stands here twice' },
  { step: 'step 8', line: 'Chat Log Database Analysis - Custom Queries', reason: 'banner of that script' },
  {
    step: 'step 9',
    line: 'Scenario: You optimized the system prompt to reduce GPT response time.',
    reason: 'what was changed is not in the spans',
  },
  { step: 'step 9', line: "Let's validate the improvement:", reason: 'the narrator speaks' },
  { step: 'step 9', line: '[Make optimization changes to system prompt...]', reason: 'the narrator speaks' },
];

/** `expected` with the lines that no rule gives replaced; an empty line around one that is dropped goes with it. */
export function replaceUngivenLines(step: string, expected: readonly string[]): string[] {
  const lines: string[] = [];
  let isBehindDropped = false;
  for (const line of expected) {
    const ungiven = LINES_NO_RULE_GIVES.find((candidate) => candidate.step === step && candidate.line === line);
    if (ungiven !== undefined && ungiven.instead === undefined) {
      isBehindDropped = true;
      continue;
    }
    const isNeedless = isBehindDropped && line === '' && (lines.length === 0 || lines.at(-1) === '');
    if (!isNeedless) lines.push(ungiven?.instead ?? line);
    isBehindDropped = false;
  }
  return lines;
}

import { beforeAll, describe, expect, test } from '@jest/globals';
import { main } from '../../src/main.ts';
import { recordingTerminal } from '../recording-terminal.ts';
import { FOUR_CONVERSATIONS, writeOtlpFile } from './otlp-file.ts';

const LONG_STEP = 'look_up_in_the_knowledge_base';

let file: string;
beforeAll(async () => {
  file = await writeOtlpFile([
    ...FOUR_CONVERSATIONS,
    {
      id: '20251008_144500_a1b2c3d4',
      start: '2025-10-08T14:45:00Z',
      steps: [
        { step: '声音识别', durationMs: 1200 },
        { step: LONG_STEP, durationMs: 9100, error: 'The knowledge base did not answer in time' },
      ],
    },
  ]);
});

async function print(words: readonly string[], columns: number | undefined): Promise<string[]> {
  const terminal = recordingTerminal({ CONVOTEL_FROM: file }, columns === undefined ? {} : { columns });
  expect(await main([...words, '--tz', 'UTC'], terminal)).toBe(0);
  return terminal.output.trimEnd().split('\n');
}

/** Cells of a line whose wide characters are Chinese and each take two. */
const widthOf = (line: string): number => line.length + (line.match(/[\u4e00-\u9fff]/g) ?? []).length;

const TABLES = [
  ['recent'],
  ['averages'],
  ['percentiles', LONG_STEP],
  ['slow', '--threshold', '1s'],
  ['longest'],
  ['errors'],
  ['success'],
  ['hours'],
  ['busiest'],
  ['compare', '--at', '2025-10-08T14:32:00Z', '--span', '1h'],
  ['summary', 'good-0'],
  ['timeline', 'latest'],
  ['trace', 'latest'],
  ['explain', 'latest'],
  ['satisfaction', '--by', 'response'],
  ['correlation'],
  ['sessions'],
  ['session', 'call-1'],
  ['common-errors'],
  ['usage'],
];

describe.each([40, 60, 80, 120])('on a screen of %i cells', (columns) => {
  test.each(TABLES.map((words) => [words.join(' '), words] as const))('%s fits', async (_name, words) => {
    const tooLong = (await print(words, columns)).filter((line) => widthOf(line) > columns);
    expect(tooLong).toEqual([]);
  });
});

test('where a table does not fit, each row is a block, and no cell is cut', async () => {
  expect((await print(['recent', '-n', '2'], 40)).slice(3)).toEqual([
    'Conversation ID',
    '-'.repeat(40),
    '20251008_144500_a1b2c3d4',
    '  Start Time: 2025-10-08T14:45:00.000000',
    'bad-0',
    '  Start Time: 2025-10-08T14:40:00.000000',
    '='.repeat(40),
  ]);
});

test('a screen narrower than 40 cells is printed as one of 40', async () => {
  expect(await print(['averages'], 12)).toEqual(await print(['averages'], 40));
});

test.each(TABLES.map((words) => [words.join(' '), words] as const))(
  'the rows of %s take 80 cells where there is no screen',
  async (_name, words) => {
    const asked = words.map((word) => (word === LONG_STEP ? 'gpt' : word));
    const from = ['--from', await writeOtlpFile(FOUR_CONVERSATIONS)];
    const lines = await print([...asked, '--no-findings', ...from], undefined);
    // A message below its row is one line, however long.
    expect(lines.filter((line) => !line.startsWith('  ') && widthOf(line) > 80)).toEqual([]);
  },
);

test('what is not a screen gets every row in one line, and sentences unbroken', async () => {
  const lines = await print(['errors'], undefined);
  expect(lines.some((line) => line.startsWith(LONG_STEP) && line.endsWith('← PROBLEM!'))).toBe(true);
  expect(lines.filter((line) => line.length > 80)).not.toEqual([]);
});

test('sentences are broken between words, below one another', async () => {
  const broken = await print(['errors'], 60);
  const whole = await print(['errors'], undefined);
  const sentences = (lines: string[]): string =>
    lines
      .slice(lines.indexOf('FINDINGS:'))
      .join('\n')
      .replaceAll(/\n {2,3}(?=\S)/g, ' ');
  expect(broken.length).toBeGreaterThan(whole.length);
  expect(sentences(broken)).toBe(sentences(whole));
});

test('recent has more columns where there is room, or with --wide', async () => {
  const heading =
    'Conversation ID                Start Time                  Duration  Response  Outcome      Workflow';
  expect(await print(['recent'], 100)).toContain(heading);
  expect(await print(['recent'], 99)).not.toContain(heading);
  // An id that leaves no room keeps the rows on one line each.
  const longId = { ...FOUR_CONVERSATIONS[0]!, id: 'x'.repeat(60) };
  const cramped = await print(['recent', '--from', await writeOtlpFile([longId])], 110);
  expect(cramped).toContainEqual(expect.stringMatching(/^x{60} 2025-10-08T14:30:00\.250000$/));
  const wide = await print(['recent', '--wide'], undefined);
  expect(wide).toContain(heading);
  expect(wide).toContain(
    'bad-0                          2025-10-08T14:40:00.000000    1.850s         -  failed       chat',
  );
});

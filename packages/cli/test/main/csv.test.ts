import { beforeAll, describe, expect, test } from '@jest/globals';
import { main } from '../../src/main.ts';
import { recordingTerminal } from '../recording-terminal.ts';
import { FOUR_CONVERSATIONS, writeOtlpFile } from './otlp-file.ts';

let file: string;
beforeAll(async () => {
  file = await writeOtlpFile(FOUR_CONVERSATIONS);
});

async function run(words: readonly string[], from = file): Promise<{ status: number; output: string; errors: string }> {
  const terminal = recordingTerminal({ CONVOTEL_FROM: from });
  const status = await main([...words, '--tz', 'UTC'], terminal);
  return { status, output: terminal.output, errors: terminal.errors };
}

/** Cells of each line, read as RFC 4180 says. */
function readCsv(text: string): string[][] {
  if (!text.endsWith('\n')) throw new Error('the last line has no end');
  const rows: string[][] = [[]];
  for (const match of text.slice(0, -1).matchAll(/(?:"((?:[^"]|"")*)"|([^",\n]*))(,|\n|$)/gy)) {
    rows.at(-1)?.push(match[1] === undefined ? (match[2] as string) : match[1].replaceAll('""', '"'));
    if (match[3] === '\n') rows.push([]);
    if (match[3] === '') break;
  }
  return rows;
}

const CALLS = [
  ['recent'],
  ['averages'],
  ['averages', '--by', 'model'],
  ['percentiles', 'gpt'],
  ['percentiles', 'gpt', '--by', 'workflow'],
  ['slow', '--threshold', '1s'],
  ['longest'],
  ['errors'],
  ['success'],
  ['common-errors'],
  ['hours'],
  ['busiest'],
  ['compare', '--at', '2025-10-08T14:32:00Z', '--span', '1h'],
  ['summary', 'good-0'],
  ['trace', 'bad-0'],
  ['timeline', 'good-1'],
  ['explain', 'good-1'],
  ['satisfaction', '--by', 'response'],
  ['correlation'],
  ['sessions'],
  ['session', 'call-1'],
  ['usage'],
];

/** Where the rows of an answer stand that is not a list itself. */
const LISTS = ['steps', 'ranked', 'conversations', 'rows', 'groups'] as const;

describe('--csv of a command', () => {
  test.each(CALLS.map((words) => [words.join(' '), words] as const))(
    '%s has a row for each of the JSON',
    async (_, words) => {
      const { status, output, errors } = await run([...words, '--csv']);
      expect({ status, errors: errors.replace(/^Note: .*\n$/, '') }).toEqual({ status: 0, errors: '' });
      const [header = [], ...rows] = readCsv(output);
      expect(new Set(header).size).toBe(header.length);
      for (const row of rows) expect(row).toHaveLength(header.length);

      const { data } = JSON.parse((await run([...words, '--json'])).output) as { data: unknown };
      const single = data as Record<string, unknown>;
      const list = LISTS.map((name) => single[name]).find((each) => Array.isArray(each) && typeof each[0] === 'object');
      const objects = (Array.isArray(data) ? data : (list ?? [data])) as object[];
      expect(rows).toHaveLength(objects.length);
      objects.forEach((object, index) => {
        for (const [path, value] of leaves(object)) {
          expect({ path, value: rows[index]?.[header.indexOf(path)] }).toEqual({ path, value: String(value ?? '') });
        }
      });
    },
  );

  test('has the same columns without rows', async () => {
    const empty = await run(['errors', '--csv', '--since', '2020-01-01', '--until', '2020-01-02']);
    expect(empty.output).toBe(`${(await run(['errors', '--csv'])).output.split('\n')[0]}\n`);
  });
});

test('texts that begin a formula are guarded, in CSV and nowhere else; separators and quotes stand in quotes', async () => {
  const from = await writeOtlpFile([
    {
      id: '+15551234567',
      start: '2025-10-08T14:30:00Z',
      steps: [
        { step: '=HYPERLINK("http://example.org","x")', durationMs: 10 },
        { step: '@SUM(A1)', durationMs: 10, error: '-1+1, "quoted"\nand more\u001b[2J' },
      ],
    },
  ]);
  const trace = readCsv((await run(['trace', '+15551234567', '--csv'], from)).output);
  const header = trace[0] ?? [];
  const cells = (column: string): (string | undefined)[] => trace.slice(1).map((row) => row[header.indexOf(column)]);
  expect(cells('conversationId')).toEqual(["'+15551234567", "'+15551234567"]);
  expect(cells('step')).toEqual([`'=HYPERLINK("http://example.org","x")`, "'@SUM(A1)"]);
  expect(cells('errorMessage')).toEqual(['', `'-1+1, "quoted"\\nand more\\u001b[2J`]);
  const recent = await run(['recent'], from);
  expect(recent.output).toMatch(/^\+15551234567 /m);
});

test('a negative number is not a text', async () => {
  const conversations = [2000, 1000].map((durationMs, index) => ({
    id: `c-${index}`,
    start: `2025-10-08T14:${10 + 20 * index}:00Z`,
    steps: [{ step: 'gpt', durationMs }],
  }));
  const { output } = await run(
    ['compare', '--at', '2025-10-08T14:20:00Z', '--span', '1h', '--csv'],
    await writeOtlpFile(conversations),
  );
  const [header = [], row = []] = readCsv(output);
  expect(row[header.indexOf('deltaMs')]).toBe('-1000');
});

test('--csv and --json do not go together', async () => {
  expect(await run(['recent', '--csv', '--json'])).toMatchObject({
    status: 2,
    output: '',
    errors: expect.stringContaining('--json and --csv'),
  });
});

type Leaf = string | number | boolean | null;

/** Every value in `object` that is not an object itself, with the names that lead to it. */
function* leaves(object: object, prefix = ''): Generator<[string, Leaf]> {
  for (const [name, value] of Object.entries(object) as [string, object | Leaf][]) {
    if (typeof value === 'object' && value !== null) yield* leaves(value, `${prefix}${name}.`);
    else yield [prefix + name, value];
  }
}

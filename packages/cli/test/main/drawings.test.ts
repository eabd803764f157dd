import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from '@jest/globals';
import { main } from '../../src/main.ts';
import { recordingTerminal } from '../recording-terminal.ts';
import { temporaryFolder, writeOtlpFile } from './otlp-file.ts';

let file: string;
beforeAll(async () => {
  file = await writeOtlpFile([
    // Ten in the hour of 10, five in that of 12; the later, the slower.
    ...Array.from({ length: 15 }, (_, index) => ({
      id: `c-${index}`,
      start: `2025-10-08T${index < 10 ? 10 : 12}:${String(10 + index)}:00Z`,
      steps: [
        { step: 'stt', durationMs: 500 },
        {
          step: 'gpt',
          durationMs: 1000 + 100 * index,
          attributes: { 'conversation.step.time_to_first_output': 0.5 },
        },
      ],
    })),
    {
      id: 'forty',
      start: '2025-10-07T10:00:00Z',
      steps: Array.from({ length: 40 }, (_, index) => ({ step: `call_tool_number_${index}`, durationMs: 100 + index })),
    },
  ]);
});

async function print(words: readonly string[], columns?: number): Promise<string[]> {
  const terminal = recordingTerminal({ CONVOTEL_FROM: file }, columns === undefined ? {} : { columns });
  expect(await main([...words, '--tz', 'UTC'], terminal)).toBe(0);
  return terminal.output.trimEnd().split('\n');
}

const DRAWN = /[█▏▎▍▌▋▊▉▁▂▃▄▅▆▇░]/;

describe.each([['hours'], ['busiest'], ['averages'], ['percentiles', 'gpt'], ['trace', 'c-3'], ['explain', 'c-3']])(
  '%s %s',
  (...words) => {
    const call = words.filter((word) => word !== undefined);

    test('draws on a terminal, and elsewhere when it is told', async () => {
      expect((await print(call, 80)).join('\n')).toMatch(DRAWN);
      expect((await print(call)).join('\n')).not.toMatch(DRAWN);
      expect((await print([...call, '--graph'])).join('\n')).toMatch(DRAWN);
      expect((await print([...call, '--no-graph'], 80)).join('\n')).not.toMatch(DRAWN);
    });

    test.each([40, 61, 80, 120])('fits a terminal of %i cells', async (columns) => {
      expect((await print(call, columns)).filter((line) => line.length > columns)).toEqual([]);
    });

    test('prints the same JSON and CSV, drawn or not', async () => {
      for (const form of ['--json', '--csv']) {
        expect(await print([...call, form, '--graph'], 80)).toEqual(await print([...call, form]));
      }
    });
  },
);

test.each([['hours'], ['busiest'], ['percentiles', 'gpt']])(
  '%s %s draws on the narrowest terminal',
  async (...words) => {
    const lines = await print(
      words.filter((word) => word !== undefined),
      40,
    );
    expect(lines.join('\n')).toMatch(DRAWN);
  },
);

test('a bar of hours is as long as its count', async () => {
  const rows = (await print(['hours', '--graph', '--since', '2025-10-08'])).filter((line) => line.startsWith('2025'));
  const cells = rows.map((line) => (line.match(/█/g) ?? []).length);
  expect(cells).toHaveLength(2);
  expect(cells[0]).toBe(2 * (cells[1] ?? 0));
  expect(cells[0]).toBeGreaterThan(10);
});

test('the line of averages rises where the step gets slower, and is even where it does not change', async () => {
  const lines = await print(['averages', '--graph', '--since', '2025-10-08 09:00', '--until', '2025-10-08 15:00']);
  const trendOf = (step: string): string =>
    /[▁-█ ]+$/.exec(lines.find((line) => line.startsWith(step)) ?? '')?.[0].trim() ?? '';
  expect(trendOf('gpt')).toMatch(/^▁.*█$/);
  expect(new Set(trendOf('stt').replaceAll(' ', '')).size).toBe(1);
});

test('the distribution of percentiles adds up', async () => {
  const lines = await print(['percentiles', 'gpt', '--graph']);
  const shares = lines.flatMap((line) => /^ +[\d.]+ +(\d+)%/.exec(line)?.[1] ?? []).map(Number);
  expect(shares).toHaveLength(10);
  expect(shares.reduce((sum, share) => sum + share, 0)).toBe(100);
});

test('a waterfall shows the wait for the first output', async () => {
  const [stt = '', gpt = ''] = (await print(['timeline', 'c-0', '--graph'])).filter((line) => line.startsWith('✓'));
  expect(stt).toMatch(/\|█{13} {27}\|$/);
  // 500 ms of 1,500 each: heard, waited for the first output, gave out.
  expect(gpt).toMatch(/\| {13}░{14}█{13}\|$/);
});

test('a waterfall shows waits, what runs side by side, and attempts that failed', async () => {
  const text = (values: Record<string, string>): object[] =>
    Object.entries(values).map(([key, stringValue]) => ({ key, value: { stringValue } }));
  const startUnixMs = Date.parse('2025-10-08T14:30:00Z');
  const spans = [
    ['search', 0, 1000, 'failed'],
    ['search', 1000, 2000, 'completed'],
    ['rank', 1500, 2500, 'completed'],
    ['gpt', 3500, 4000, 'completed'],
  ].map(([step, fromMs, toMs, outcome], index) => ({
    traceId: 'a'.repeat(32),
    spanId: String(index + 1).repeat(16),
    name: step,
    startTimeUnixNano: `${startUnixMs + Number(fromMs)}000000`,
    endTimeUnixNano: `${startUnixMs + Number(toMs)}000000`,
    attributes: [
      ...text({
        'conversation.id': 'shapes',
        'conversation.step.name': String(step),
        'conversation.outcome': String(outcome),
      }),
      ...(index === 1 ? [{ key: 'conversation.step.attempt', value: { intValue: '2' } }] : []),
    ],
  }));
  const from = join(await temporaryFolder(), 'shapes.jsonl');
  await writeFile(from, JSON.stringify({ resourceSpans: [{ scopeSpans: [{ spans }] }] }));
  const lines = await print(['timeline', 'shapes', '--graph', '--from', from]);
  const drawn = lines.flatMap((line) => /^(.{17}).*\|(.*)\|$/.exec(line)?.slice(1) ?? []);
  expect(drawn).toEqual([
    '✗ search         ',
    `${'▒'.repeat(10)}${' '.repeat(30)}`,
    '✓ search #2      ',
    `${' '.repeat(10)}${'█'.repeat(10)}${' '.repeat(20)}`,
    '✓ rank           ',
    `${' '.repeat(15)}${'█'.repeat(10)}${' '.repeat(15)}`,
    '  (waiting)      ',
    `${' '.repeat(25)}${'·'.repeat(10)}${' '.repeat(5)}`,
    '✓ gpt            ',
    `${' '.repeat(35)}${'█'.repeat(5)}`,
  ]);
  expect(lines).toContain('▒ failed   · no step ran');
  expect((await print(['timeline', 'shapes', '--no-graph', '--from', from], 80)).join('\n')).not.toMatch(/[▒·]/);
});

test.each([['averages'], ['errors'], ['summary', 'forty'], ['explain', 'forty'], ['success']])(
  'what %s says about forty steps can be read',
  async (...words) => {
    const [command, id] = words;
    const lines = await print([command, ...(id === undefined ? ['--since', '2025-10-07'] : [id])], 80);
    const sentences = lines.slice(lines.findLastIndex((line) => line.startsWith('===='))).filter((line) => line !== '');
    expect(sentences.length).toBeLessThanOrEqual(16);
  },
);

test.each([40, 80, 120])('forty steps stay readable on %i cells', async (columns) => {
  const lines = await print(['timeline', 'forty'], columns);
  expect(lines.filter((line) => line.length > columns)).toEqual([]);
  const names = lines.flatMap((line) => /call_tool_number_\d+/.exec(line)?.[0] ?? []);
  expect(new Set(names).size).toBe(40);
});

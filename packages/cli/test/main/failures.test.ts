import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from '@jest/globals';
import { main } from '../../src/main.ts';
import { recordingTerminal } from '../recording-terminal.ts';
import { FOUR_CONVERSATIONS, temporaryFolder, toRequest, writeOtlpFile } from './otlp-file.ts';

let file: string;
beforeAll(async () => {
  file = await writeOtlpFile(FOUR_CONVERSATIONS);
});

async function call(...words: string[]): Promise<{ status: number; output: string; errors: string }> {
  const terminal = recordingTerminal({ HOME: '/nonexistent' });
  const status = await main(words, terminal);
  return { status, output: terminal.output, errors: terminal.errors };
}

describe('wrong usage ends with 2, prints nothing on standard output, and says what is right', () => {
  test.each<[string[], RegExp]>([
    [['avrages'], /unknown command 'avrages'[^]*Did you mean averages\?/],
    [['averages', '--housr', '3'], /unknown option '--housr'[^]*Did you mean --hours\?/],
    [['--json', 'recent'], /--json must come after the command: convotel <command> --json/],
    [
      ['recent', '--from', 'localhost'],
      /Did you mean localhost:4318 \(convotel serve\) or localhost:16686 \(Jaeger\)\?/,
    ],
    [['recent', '--from', '127.0.0.1'], /--from 127\.0\.0\.1 has no port/],
    [['summary'], /missing required argument 'id'/],
    [['summary', 'a', 'b'], /too many arguments/],
    [['averages', '--since'], /argument missing/],
    [['averages', '--since', '24'], /--since takes a duration .* Did you mean 24h\?/],
    [['averages', '--since', '1h', '--hours', '2'], /--hours and --since/],
    [['averages', '--hours', '1.5'], /--hours takes a whole number/],
    [['averages', '--hours', '0'], /--hours takes a whole number/],
    [['averages', '--tz', 'Mars/Olympus'], /--tz takes an IANA time zone/],
    [['averages', '--outcome', 'sad'], /Allowed choices are completed/],
    [['recent', '--limit', '0'], /--limit takes a whole number from 1/],
    [['slow', '--threshold', 'fast'], /--threshold takes a time such as 8s/],
    [['averages', '--since', '2025-13-08 14:30'], /--since takes a duration/],
    [['averages', '--since', 'tomorrow'], /--since takes a duration/],
    [['averages', '--since', '99999999d'], /--since leads beyond the years 0 to 9999, got "99999999d"/],
    [['averages', '--since', '1h', '--until', '99999999w'], /--until leads beyond the years 0 to 9999/],
    [['compare', '--before', '99999999d..1d', '--after', '1d..now'], /--before leads beyond the years 0 to 9999/],
    [['compare', '--at', '1d', '--span', '99999999d'], /--span leads beyond the years 0 to 9999/],
    [['recent', '--from', 'ftp://name@host'], /such as http:\/\/name:password@host:16686/],
    [
      ['compare', '--split-by', 'version', '--before', '1.4', '--after', '1.5', '--by', 'model'],
      /cannot be given together, because .* --service, --workflow or --session/,
    ],
    [['summary', 'an-id', '--workflow', 'voice'], /--workflow goes with latest/],
    [['help', 'avrages'], /unknown command 'avrages'[^]*Did you mean averages\?/],
    [
      ['serve', '--host', '0.0.0.0'],
      /0\.0\.0\.0 can be reached from other machines.*Give a token file \(--token-file\)/,
    ],
    [['serve', '--token-file', 'no such file'], /--token-file cannot be read/],
    [['serve', '--allow-origin', 'example.com/page'], /--allow-origin takes an origin such as/],
    [['watch', '--once', '--max-error-rate', 'gpt:5'], /Did you mean gpt=5\?/],
    [['compare', '--before', '1d..2d', '--after', '1d..now'], /--before must begin before it ends, got "1d\.\.2d"/],
    [['compare'], /compare needs --at/],
    [['compare', '--at', '1h', '--before', '2h..1h'], /leave out --before/],
    [['compare', '--before', '2h', '--after', '1h..0h'], /--before takes two times/],
    [['watch', '--once', '--max-p95', '5000'], /--max-p95 takes a step and a time such as gpt=8s/],
    [['watch', '--once', '--max-error-rate', 'gpt=200'], /--max-error-rate takes a percentage/],
    [['demo', '--speed', 'fast'], /--speed takes a number/],
    [['serve', '--port', '99999'], /--port takes a whole number/],
    [['serve', '--max-size', '2'], /--max-size takes a size/],
    [['averages', '--from', 'x.jsonl', '--store', 'y.duckdb'], /leave out one of the two/],
  ])('%j', async (words, message) => {
    const { status, output, errors } = await call(...words);
    expect({ status, output }).toEqual({ status: 2, output: '' });
    expect(errors).toMatch(message);
  });

  test('without a command, the help says what there is', async () => {
    const { status, output, errors } = await call();
    expect({ status, output }).toEqual({ status: 2, output: '' });
    expect(errors).toMatch(/^Examples:[^]*convotel demo[^]*Commands:/);
  });
});

describe('a back end that cannot be reached ends with 3', () => {
  test.each<[string, string, RegExp]>([
    ['a file that is missing', '/nonexistent/spans.jsonl', /\/nonexistent\/spans\.jsonl/],
    ['an address where nobody listens', 'http://127.0.0.1:9', /127\.0\.0\.1:9/],
  ])('%s', async (_what, from, message) => {
    const { status, output, errors } = await call('averages', '--from', from);
    expect({ status, output }).toEqual({ status: 3, output: '' });
    expect(errors).toMatch(message);
    expect(errors.trimEnd().split('\n')).toHaveLength(1);
  });

  test('a store that is not there yet', async () => {
    const { status, output, errors } = await call('recent');
    expect({ status, output }).toEqual({ status: 3, output: '' });
    expect(errors).toMatch(/convotel serve/);
  });

  test('a server that is something else', async () => {
    const server = createServer((_request, response) => response.end('<html>Welcome</html>')).listen(0, '127.0.0.1');
    await new Promise((resolve) => server.once('listening', resolve));
    const { port } = server.address() as AddressInfo;
    const { status, output, errors } = await call('recent', '--from', `http://127.0.0.1:${port}`);
    await new Promise((resolve) => server.close(resolve));
    expect({ status, output }).toEqual({ status: 3, output: '' });
    expect(errors).toMatch(/convotel serve/);
  });
});

test.each([
  ['explain', 'latest'],
  ['session', 'latest'],
])('%s %s says what was there instead of conversations', async (...words) => {
  const path = join(await temporaryFolder(), 'spans.jsonl');
  const span = { traceId: 'a'.repeat(32), spanId: 'b'.repeat(16), name: 'GET /', startTimeUnixNano: '1' };
  await writeFile(path, JSON.stringify({ resourceSpans: [{ scopeSpans: [{ spans: [span] }] }] }));
  const { status, output, errors } = await call(...words, '--from', path);
  expect({ status, output }).toEqual({ status: 4, output: '' });
  expect(errors).toMatch(/^convotel: There is no conversation in .* yet\. No step or root .* named "GET \/"/);
});

test('a folder in place of a file is called one', async () => {
  const { status, errors } = await call('recent', '--from', await temporaryFolder());
  expect(status).toBe(3);
  expect(errors).toMatch(/Cannot read .*: it is a folder\. Give a file/);
});

test.each(['summary', 'trace', 'timeline'])('%s of no such conversation ends with 4', async (command) => {
  const { status, output, errors } = await call(command, 'nobody', '--from', file);
  expect({ status, output }).toEqual({ status: 4, output: '' });
  expect(errors).toMatch(/nobody[^]*recent/);
});

test('a line of a file that cannot be read is named, and the rest is answered', async () => {
  const path = join(await temporaryFolder(), 'spans.jsonl');
  await writeFile(path, `${JSON.stringify(toRequest(FOUR_CONVERSATIONS[0]!))}\nnot json\n`);
  const { status, output, errors } = await call('recent', '--from', path);
  expect(status).toBe(0);
  expect(output).toContain('good-0');
  expect(errors).toMatch(/^Note: Line 2 of /);
});

describe('no text of a span', () => {
  const NASTY = '\u001b[2J\u0007\u202egnp.exe\u009b31m\n=HYPERLINK("x")\r';

  test.each([
    ['recent'],
    ['trace', NASTY],
    ['summary', NASTY],
    ['averages'],
    ['common-errors'],
    ['errors'],
    ['timeline', NASTY],
    ['watch', '--once'],
  ])('acts on the terminal through %s', async (...words) => {
    const path = await writeOtlpFile([
      {
        id: NASTY,
        start: '2025-10-08T14:30:00Z',
        steps: [{ step: NASTY, durationMs: 10, error: NASTY, input: NASTY }],
      },
    ]);
    for (const json of [[], ['--json']]) {
      const terminal = recordingTerminal();
      await main([...words, '--from', path, ...json], terminal);
      expect((terminal.output + terminal.errors).replaceAll('\n', '')).not.toMatch(
        /[\u0000-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069]/,
      );
    }
  });

  test('acts on the terminal through an error message', async () => {
    const terminal = recordingTerminal();
    await main(['trace', NASTY, '--from', file], terminal);
    expect(terminal.errors.replaceAll('\n', '')).not.toMatch(/[\u0000-\u001f\u007f-\u009f\u202a-\u202e]/);
  });
});

import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from '@jest/globals';
import { FOUR_CONVERSATIONS, temporaryFolder, writeOtlpFile } from '../main/otlp-file.ts';
import { runConvotel } from './run-convotel.ts';
import type { RunOptions } from './run-convotel.ts';

let file: string;
beforeAll(async () => {
  file = await writeOtlpFile(FOUR_CONVERSATIONS);
});

/** A new folder with this `convotel.json`, and a folder two levels below it. */
async function project(settings: unknown): Promise<{ folder: string; below: string; path: string }> {
  const folder = await temporaryFolder();
  const below = join(folder, 'src', 'bot');
  await mkdir(below, { recursive: true });
  const path = join(folder, 'convotel.json');
  await writeFile(path, typeof settings === 'string' ? settings : JSON.stringify(settings));
  return { folder, below, path };
}

async function answerOf(
  words: string[],
  options: RunOptions = {},
): Promise<{ data: unknown; window: object; source: object; findings: { text: string; rule: string }[] }> {
  const { status, stdout, stderr } = await runConvotel([...words, '--json'], options);
  expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
  return JSON.parse(stdout) as Awaited<ReturnType<typeof answerOf>>;
}

const ALL_TIME = ['--since', '2025-01-01'];

describe('convotel.json', () => {
  test('holds from the folder that it lies in, and from those below', async () => {
    const { folder, below } = await project({ from: file });
    for (const where of [folder, below]) {
      expect(await answerOf(['recent'], { folder: where })).toMatchObject({ source: { kind: 'file', location: file } });
    }
  });

  test('names a file beside itself, wherever the command runs', async () => {
    const { folder, below } = await project({ from: 'spans.jsonl' });
    await writeFile(join(folder, 'spans.jsonl'), '');
    expect(await answerOf(['recent'], { folder: below })).toMatchObject({
      source: { location: join(folder, 'spans.jsonl') },
    });
  });

  test('the nearest one counts, then CONVOTEL_CONFIG, then --config', async () => {
    const far = await project({ service: 'far', from: file });
    const near = await project({ service: 'near', from: file });
    const nearest = join(far.below, 'convotel.json');
    await writeFile(nearest, JSON.stringify({ tz: 'Asia/Tokyo', from: file }));
    const folder = far.below;
    const zoneOf = async (words: string[], environment: Record<string, string>): Promise<unknown> =>
      (await answerOf(words, { folder, environment: { TZ: undefined, ...environment } })).window;
    expect(await zoneOf(['recent'], {})).toEqual({ timeZone: 'Asia/Tokyo' });
    await writeFile(near.path, JSON.stringify({ tz: 'Asia/Kolkata', from: file }));
    expect(await zoneOf(['recent'], { CONVOTEL_CONFIG: near.path })).toEqual({ timeZone: 'Asia/Kolkata' });
    await writeFile(far.path, JSON.stringify({ tz: 'Europe/Oslo', from: file }));
    expect(await zoneOf(['recent', '--config', far.path], { CONVOTEL_CONFIG: near.path })).toEqual({
      timeZone: 'Europe/Oslo',
    });
  });

  test('gives way to the environment, and that to options', async () => {
    const { folder } = await project({ from: '/nonexistent', tz: 'Asia/Tokyo' });
    const environment = { CONVOTEL_FROM: file, TZ: 'Asia/Kolkata' };
    expect(await answerOf(['recent'], { folder, environment })).toMatchObject({
      source: { location: file },
      window: { timeZone: 'Asia/Kolkata' },
    });
    expect(
      await answerOf(['recent', '--tz', 'Europe/Oslo', '--from', file], {
        folder,
        environment: { CONVOTEL_FROM: '/nonexistent2' },
      }),
    ).toMatchObject({ source: { location: file }, window: { timeZone: 'Europe/Oslo' } });
  });

  test('chooses the service, unless an option does', async () => {
    const { folder } = await project({ from: file, service: 'another-bot' });
    expect((await answerOf(['recent'], { folder })).data).toEqual([]);
    expect((await answerOf(['recent', '--service', 'voice-bot'], { folder })).data).toHaveLength(4);
    expect((await answerOf(['recent', '--service', ''], { folder })).data).toHaveLength(4);
    expect((await answerOf(['summary', 'good-0'], { folder })).data).toMatchObject({ conversationId: 'good-0' });
  });

  test('sets target and threshold of conversations, unless options do', async () => {
    const { folder } = await project({ from: file, conversation: { target: '6.65s', threshold: '6.65s' } });
    const slow = await answerOf(['slow', ...ALL_TIME], { folder });
    expect((slow.data as unknown[]).length).toBe(2);
    expect(((await answerOf(['slow', '--threshold', '6.75s', ...ALL_TIME], { folder })).data as unknown[]).length).toBe(
      1,
    );
    const ofSettings = await runConvotel(['summary', 'good-2'], { folder });
    expect(ofSettings).toEqual(await runConvotel(['summary', 'good-2', '--target', '6650', '--from', file]));
    expect(ofSettings).not.toEqual(await runConvotel(['summary', 'good-2', '--from', file]));
  });

  test('points out steps over their target, by name and by kind', async () => {
    const { folder } = await project({
      from: file,
      steps: { gpt: { target: '3.45s' }, tts: { kind: 'capture' }, request: { target: '1s' } },
      kinds: { capture: { target: '1s' }, speech_to_text: { target: '1s' }, language_model: { target: '1s' } },
    });
    const rulesOf = ({ findings }: Awaited<ReturnType<typeof answerOf>>): string[] =>
      findings.filter(({ rule }) => rule === 'step-over-target').map(({ text }) => text);
    expect(rulesOf(await answerOf(['averages', ...ALL_TIME], { folder }))).toEqual([
      'STT takes 1.20s on average, over its target of 1s',
      'GPT takes 3.50s on average, over its target of 3.45s',
      'TTS takes 1.40s on average, over its target of 1s',
    ]);
    expect(rulesOf(await answerOf(['summary', 'good-0'], { folder }))).toEqual([
      'STT took 1.20s, over its target of 1s',
      'TTS took 1.40s, over its target of 1s',
    ]);
    // A conversation with such a step is no good baseline, which it is without settings.
    const hasBaseline = ({ findings }: Awaited<ReturnType<typeof answerOf>>): boolean =>
      findings.some(({ rule }) => rule === 'good-baseline');
    expect(hasBaseline(await answerOf(['summary', 'good-0'], { folder }))).toBe(false);
    expect(hasBaseline(await answerOf(['summary', 'good-0', '--from', file]))).toBe(true);
  });
});

describe('settings that cannot be read end with 2 and name the file', () => {
  test.each<[string, unknown, RegExp]>([
    ['a key', { conversation: { target: 'soon' } }, /convotel\.json: conversation\.target must be a time such as "8s"/],
    ['a zone', { tz: 'Mars/Olympus' }, /convotel\.json: tz must be an IANA time zone/],
    ['JSON', '{"from": ', /convotel\.json is not valid JSON: /],
  ])('%s', async (_what, settings, message) => {
    const { folder } = await project(settings);
    const { status, stdout, stderr } = await runConvotel(['recent', '--from', file], { folder });
    expect({ status, stdout }).toEqual({ status: 2, stdout: '' });
    expect(stderr).toMatch(message);
    expect(stderr.trimEnd().split('\n')).toHaveLength(1);
  });

  test('a value that is refused by the option that it stands for', async () => {
    const { folder } = await project({ from: file, watch: { since: '0s' } });
    expect(await runConvotel(['watch', '--once'], { folder })).toEqual({
      status: 2,
      stdout: '',
      stderr: 'convotel: --since (in convotel.json) must be longer than zero, got "0s".\n',
    });
  });

  test('a file that is missing', async () => {
    expect(await runConvotel(['recent', '--config', '/nonexistent/c.json'])).toMatchObject({
      status: 2,
      stdout: '',
      stderr: expect.stringMatching(
        /^convotel: The settings cannot be read: .*\/nonexistent\/c\.json.*--config names the file/,
      ),
    });
  });

  test('help and the demo need none', async () => {
    const { folder } = await project('{');
    expect((await runConvotel(['recent', '--help'], { folder })).status).toBe(0);
    expect((await runConvotel(['demo', '--speed', 'x'], { folder })).stderr).toMatch(/--speed/);
  });
});

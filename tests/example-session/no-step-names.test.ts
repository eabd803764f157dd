import { readdir, readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { expect, test } from '@jest/globals';
import { stepKindOf } from '@convotel/conventions';
import { SUPPORT_PLANS } from './support-session.ts';
import { VOICE_PLANS } from './voice-session.ts';

const ROOT = new URL('../../', import.meta.url);

/** Where numbers and sentences are made. */
const FOLDERS = ['packages/query/src/', 'packages/cli/src/', 'packages/local/sql/', 'packages/local/src/'];

const STEP_NAMES = [
  ...new Set(
    [VOICE_PLANS, SUPPORT_PLANS]
      .flatMap((plans) => Object.values(plans).flat())
      .flatMap((plan) => plan.steps.map((step) => step.step)),
  ),
  'transcribe',
  'synthesize',
];

/** What has step names of its own, because it makes spans up. */
const EXEMPT = /\/demo\//;

/** Words of HTTP and of events, which a program about spans over HTTP quotes too. */
const NO_STEP_THERE = new Set(['request', 'response', 'listen']);

test('no query, rule or text names a step', async () => {
  const namesOutside = STEP_NAMES.filter((name) => !NO_STEP_THERE.has(name)).join('|');
  const quotedName = new RegExp(String.raw`(['"\x60])(?:${namesOutside})\1`);
  const quotedInSentences = new RegExp(String.raw`(['"\x60])(?:${STEP_NAMES.join('|')})\1`);
  const found: string[] = [];
  for (const folder of FOLDERS) {
    for (const path of await codeBelow(folder)) {
      if (EXEMPT.test(path)) continue;
      const forbidden = /findings|text|analytics|answers/.test(path) ? quotedInSentences : quotedName;
      const code = withoutComments(await readFile(new URL(path, ROOT), 'utf8'));
      if (forbidden.test(code)) found.push(path);
    }
  }
  expect(found).toEqual([]);
});

test('the guard sees names in each kind of quotes, and knows the names it guards', () => {
  expect(STEP_NAMES).toEqual(expect.arrayContaining(['gpt', 'stt', 'tts', 'llm', 'retrieve', 'request', 'response']));
  expect(stepKindOf('gpt')).not.toBe('other');
  expect(withoutComments("const a = 'gpt'; // 'stt'\n/** `tts` */ -- 'llm'\n'http://' + 'asr'")).toBe(
    "const a = 'gpt'; \n \n'http://' + 'asr'",
  );
});

async function codeBelow(folder: string): Promise<string[]> {
  const names = await readdir(fileURLToPath(new URL(folder, ROOT)), { recursive: true });
  const files = names.filter((name) => /\.(?:ts|sql)$/.test(name)).map((name) => folder + name);
  if (files.length === 0) throw new Error(`nothing to look at in ${folder}`);
  return files;
}

/** Comments may name a step as an example: they go, of TypeScript and of SQL. */
function withoutComments(code: string): string {
  return code.replace(/\/\*[^]*?\*\//g, '').replace(/(?<=^|\s)(?:\/\/|--)\s.*$/gm, '');
}

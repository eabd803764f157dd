import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { afterAll, afterEach, beforeAll, expect, test } from '@jest/globals';
import { encodeRequests } from '@convotel/suite';
import type { Browser } from 'playwright-core';
import { knownConversations, spansOf } from './conversations.ts';
import { launchChromium, PAGE_FOLDER, settled } from './page-under-test.ts';

const COMMAND = join(PAGE_FOLDER, '../../bin/convotel.js');
const TOKEN = 'a-token-for-this-test-0123456789';

let folder: string;
let browser: Browser;
const running: ChildProcess[] = [];
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'convotel-team-'));
  browser = await launchChromium();
});
afterEach(async () => {
  for (const child of running.splice(0)) {
    child.kill('SIGINT');
    if (child.exitCode === null) await once(child, 'exit');
  }
});
afterAll(async () => {
  await browser.close();
  await rm(folder, { recursive: true, force: true });
});

/** Starts the built command; resolves to the address in its first line. */
async function convotel(...words: string[]): Promise<string> {
  const child = spawn(process.execPath, [COMMAND, ...words], { stdio: ['ignore', 'pipe', 'inherit'] });
  running.push(child);
  for await (const line of createInterface(child.stdout)) {
    const url = /https?:\/\/\S+/.exec(line)?.[0];
    if (url !== undefined) return url;
  }
  throw new Error(`convotel ${words.join(' ')} said no address`);
}

test('a token is asked for once; a link from elsewhere then opens signed in', async () => {
  const tokenFile = join(folder, 'tokens.txt');
  await writeFile(tokenFile, `${TOKEN}\n`);
  const url = await convotel('serve', '--port', '0', '--store', join(folder, 'team.duckdb'), '--token-file', tokenFile);
  for (const body of encodeRequests(knownConversations(Date.now()).flatMap(spansOf))) {
    const headers = { 'content-type': 'application/json', authorization: `Bearer ${TOKEN}` };
    const response = await fetch(`${url}/v1/traces`, { method: 'POST', headers, body });
    expect(response.status).toBe(200);
  }

  const context = await browser.newContext();
  const page = await context.newPage();
  await page.goto(`${url}/#/conversations/slow-one`);
  await page.getByLabel('Token').fill('not the token at all');
  await page.getByRole('button', { name: 'Sign in' }).click();
  await page.getByRole('alert').getByText('That is not the token of this server.').waitFor();
  await page.getByLabel('Token').fill(TOKEN);
  await page.getByRole('button', { name: 'Sign in' }).click();
  await page.locator('.conversation-head .id', { hasText: 'slow-one' }).waitFor();
  expect(await page.evaluate(() => document.cookie)).toBe('');

  // A page of another site with a link, as a chat in the browser is.
  const elsewhere = await context.newPage();
  await elsewhere.route('http://chat.example/**', (route) =>
    route.fulfill({ contentType: 'text/html', body: `<a href="${url}/#/conversations/failed-one">look</a>` }),
  );
  await elsewhere.goto('http://chat.example/');
  await elsewhere.getByText('look').click();
  await elsewhere.locator('.conversation-head .id', { hasText: 'failed-one' }).waitFor();
});

test('ui shows the page over a file, with the command line that reads the same', async () => {
  const file = join(folder, 'spans.jsonl');
  await writeFile(file, encodeRequests(knownConversations(Date.now()).flatMap(spansOf)).join('\n'));
  const url = await convotel('ui', '--from', file, '--port', '0');
  const page = await (await browser.newContext()).newPage();
  await page.goto(`${url}/#/conversations/slow-one`);
  await settled(page);
  await page.locator('.elsewhere .command', { hasText: `convotel trace slow-one --from ${file}` }).waitFor();
  await page.goto(`${url}/#/now`);
  await page.getByText(/^Users wait longest for gpt/).waitFor();
  const posted = await fetch(`${url}/v1/traces`, { method: 'POST', body: '{}' });
  expect(posted.status).toBe(404);
});

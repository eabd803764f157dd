import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterAll, afterEach, beforeAll, expect, test } from '@jest/globals';
import { PageUnderTest, settled } from './page-under-test.ts';
import { PICTURED_ID, PICTURED_SESSION, PICTURED_SETTINGS, voiceWeeks } from './voice-week.ts';

/** Where the pictures of the documents are written when they are wanted anew: `npm run page:pictures`. */
const WANTED = process.env['CONVOTEL_PICTURES'];

let under: PageUnderTest;
let folder: string;
beforeAll(async () => {
  under = await PageUnderTest.start(voiceWeeks(Date.now()), PICTURED_SETTINGS);
  folder = WANTED === undefined ? await mkdtemp(join(tmpdir(), 'convotel-pictures-')) : resolve(WANTED);
});
afterEach(() => under.closePages());
afterAll(async () => {
  await under.stop();
  if (WANTED === undefined) await rm(folder, { recursive: true });
});

const PICTURES = [
  ['now', '#/now?since=7d', 900],
  ['conversation', `#/conversations/${PICTURED_ID}`, 860],
  ['conversations', '#/conversations?since=7d', 760],
  ['session', `#/sessions/${PICTURED_SESSION}`, 760],
  ['steps', '#/steps?since=7d', 1120],
  ['compare', '#/compare?since=14d', 860],
  ['usage', '#/usage?since=7d', 480],
] as const;

test.each(PICTURES)('a picture of %s in both themes, which differ', async (name, hash, height) => {
  const taken: Buffer[] = [];
  for (const colorScheme of ['light', 'dark'] as const) {
    const page = await under.open(hash, { colorScheme, viewport: { width: 1280, height }, reducedMotion: 'reduce' });
    await settled(page);
    if (name === 'now' || name === 'steps') await page.locator('.chart canvas').first().waitFor();
    if (name === 'steps') await page.locator('.distribution').waitFor();
    if (name === 'conversations') await page.locator('.row .step-bar rect + rect').first().waitFor();
    taken.push(await page.screenshot({ path: join(folder, `${name}-${colorScheme}.png`) }));
    await page.context().close();
  }
  expect(taken[0]!.length).toBeGreaterThan(20_000);
  expect(taken[0]!.equals(taken[1]!)).toBe(false);
});

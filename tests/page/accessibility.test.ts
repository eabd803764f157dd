import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import type { AxeResults } from 'axe-core';
import type { Page } from 'playwright-core';
import { knownConversations } from './conversations.ts';
import { becomes, PageUnderTest, settled } from './page-under-test.ts';

const AXE = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');

const VIEWS = [
  'now',
  'conversations',
  'conversations/slow-one',
  'conversations/failed-one',
  'sessions',
  'sessions/call-7',
  'steps',
  'compare',
  'usage',
];

let under: PageUnderTest;
beforeAll(async () => {
  under = await PageUnderTest.start(knownConversations(Date.now()));
});
afterEach(() => under.closePages());
afterAll(async () => {
  await under.stop();
});

async function violations(page: Page): Promise<string[]> {
  // By the debugger, which the page's policy does not bind.
  await page.evaluate(AXE);
  const results = await page.evaluate(() =>
    (globalThis as unknown as { axe: { run(): Promise<AxeResults> } }).axe.run(),
  );
  return results.violations.flatMap(({ id, nodes }) =>
    nodes.map(({ html, failureSummary }) => `${id}: ${html} ${failureSummary ?? ''}`),
  );
}

describe.each(['light', 'dark'] as const)('in the %s theme', (colorScheme) => {
  test.each(VIEWS)('axe finds nothing on %s', async (view) => {
    const page = await under.open(`#/${view}`, { colorScheme, reducedMotion: 'reduce' });
    await settled(page);
    expect(await violations(page)).toEqual([]);
    await page.context().close();
  });
});

/** 4K, usual, a window at 200 % (which halves what there is), and narrow. */
const SIZES = [
  [3840, 2160],
  [1280, 800],
  [640, 400],
  [360, 740],
] as const;

test.each(VIEWS)('nothing sticks out sideways on %s, from 4K to a small telephone', async (view) => {
  const page = await under.open(`#/${view}`);
  await settled(page);
  for (const [width, height] of SIZES) {
    await page.setViewportSize({ width, height });
    // Charts take their new width with the next frame.
    await becomes(
      page,
      () => page.evaluate(() => [innerWidth, Math.max(document.documentElement.scrollWidth - innerWidth, 0)]),
      [width, 0],
    );
  }
  await page.context().close();
});

test('axe finds nothing on a small screen', async () => {
  for (const view of VIEWS) {
    const page = await under.open(`#/${view}`, { viewport: { width: 360, height: 740 }, reducedMotion: 'reduce' });
    await settled(page);
    expect(await violations(page)).toEqual([]);
    await page.context().close();
  }
});

test('every control can be reached and seen with the Tab key', async () => {
  const page = await under.open('#/now');
  await settled(page);
  const reached = new Set<string>();
  const controls = await page.locator('a[href], button, select, input').count();
  for (let press = 0; press < controls + 5; press++) {
    await page.keyboard.press('Tab');
    const [name, outline] = await page.evaluate(() => {
      const { activeElement } = document;
      return [activeElement?.textContent?.trim() ?? '', getComputedStyle(activeElement!).outlineStyle];
    });
    if (name === '' || (await page.evaluate(() => document.activeElement === document.body))) continue;
    reached.add(name!);
    expect(outline).not.toBe('none');
  }
  for (const name of ['Now', 'Conversations', 'Sessions', 'Steps', 'Compare', 'Usage']) expect(reached).toContain(name);
  expect([...reached].some((name) => name.includes('slow-one'))).toBe(true);
});

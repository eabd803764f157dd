import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { AxeResults } from 'axe-core';
import type { Page } from 'playwright-core';
import { knownConversations } from './conversations.ts';
import { PageUnderTest, settled } from './page-under-test.ts';

const AXE = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');

const VIEWS = ['now', 'conversations', 'conversations/slow-one', 'conversations/failed-one', 'steps', 'compare'];

let under: PageUnderTest;
beforeAll(async () => {
  under = await PageUnderTest.start(knownConversations(Date.now()));
});
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

/** Narrow, usual, a window at 200 % (which halves what there is), and 4K. */
const SIZES = [
  [360, 740],
  [640, 400],
  [1280, 800],
  [3840, 2160],
] as const;

test.each(SIZES)('nothing sticks out sideways at %i × %i', async (width, height) => {
  for (const view of VIEWS) {
    const page = await under.open(`#/${view}`, { viewport: { width, height } });
    await settled(page);
    const [content, seen] = await page.evaluate(() => [document.documentElement.scrollWidth, innerWidth]);
    expect(`${view} ${content}`).toBe(`${view} ${Math.min(content!, seen!)}`);
    await page.context().close();
  }
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
  for (const name of ['Now', 'Conversations', 'Steps', 'Compare']) expect(reached).toContain(name);
  expect([...reached].some((name) => name.includes('slow-one'))).toBe(true);
});

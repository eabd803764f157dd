import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import type { Page } from 'playwright-core';
import { knownConversations, usualSteps } from './conversations.ts';
import { PageUnderTest, settled } from './page-under-test.ts';

const known = knownConversations(Date.now());
let under: PageUnderTest;
beforeAll(async () => {
  under = await PageUnderTest.start(known);
});
afterEach(() => under.closePages());
afterAll(async () => {
  expect(under.problems).toEqual([]);
  await under.stop();
});

async function ids(page: Page): Promise<string[]> {
  return page.locator('.row-id').allTextContents();
}

/** The list once it says that it shows `count` conversations. */
async function openList(query: string, count: number): Promise<Page> {
  const page = await under.open(`#/conversations?${query}`);
  await page
    .getByRole('status')
    .getByText(new RegExp(`^${count} `))
    .waitFor();
  await page.locator('.row').first().waitFor();
  return page;
}

describe('filters and order are in the address', () => {
  test.each([
    ['outcome=failed', ['failed-one']],
    ['workflow=chat', ['interrupted-one']],
    ['session=call-7', ['failed-one']],
    ['outcome=open', ['open-one']],
    ['service=assistant&outcome=interrupted', ['interrupted-one']],
  ])('%s', async (query, expected) => {
    const page = await openList(query, expected.length);
    expect(await ids(page)).toEqual(expected);
  });

  test('newest first, longest first, needs attention first', async () => {
    const byStart = known.toSorted((a, b) => b.startUnixMs - a.startUnixMs).map(({ id }) => id);
    expect((await ids(await openList('', known.length))).slice(0, 12)).toEqual(byStart.slice(0, 12));
    expect((await ids(await openList('order=longest', known.length)))[0]).toBe('slow-one');
    const attention = await ids(await openList('order=attention', known.length));
    expect(attention.slice(0, 3)).toEqual(['failed-one', 'open-one', 'slow-one']);
  });

  test('what is chosen on the page stands in the address, and a reload shows the same', async () => {
    const page = await openList('', known.length);
    await page.getByLabel('Outcome').selectOption('failed');
    await page.waitForURL(/outcome=failed/);
    await page.getByLabel('Order').selectOption('attention');
    await page.waitForURL(/order=attention/);
    await page.reload();
    await page
      .getByRole('status')
      .getByText(/^1 conversation/)
      .waitFor();
    expect(await ids(page)).toEqual(['failed-one']);
    await page.getByLabel('Find').fill('nothing like it');
    await page.getByText(/No conversation in this window/).waitFor();
  });

  test('an address that says nonsense shows the default', async () => {
    const page = await openList('since=soon&order=upside-down&outcome=odd&tz=Mars/Base', known.length);
    expect((await ids(page)).length).toBeGreaterThan(10);
  });
});

test('rows can be read without a mouse: j, k, e, / and Enter', async () => {
  const page = await openList('', known.length);
  const isChosen = async (id: string): Promise<void> => {
    await page.locator('.row:focus .row-id').getByText(id, { exact: true }).waitFor();
  };
  const all = await ids(page);
  await page.keyboard.press('j');
  await isChosen(all[0]!);
  // Faster than the page is drawn.
  for (const key of ['j', 'j', 'j', 'k']) await page.keyboard.press(key);
  await isChosen(all[2]!);
  await page.keyboard.press('k');
  await page.keyboard.press('k');
  await isChosen(all[0]!);
  await page.keyboard.press('e');
  await isChosen('failed-one');
  await page.keyboard.press('/');
  await page.keyboard.type('slow');
  await page.waitForURL(/find=slow/);
  await page.locator('.row-id', { hasText: 'slow-one' }).waitFor();
  await page.keyboard.press('Tab');
  await page.locator('body').evaluate(() => (document.activeElement as HTMLElement).blur());
  await page.keyboard.press('j');
  await isChosen('slow-one');
  await page.keyboard.press('Enter');
  await page.waitForURL(/conversations\/slow-one/);
  await page.goBack();
  await page.waitForURL(/#\/conversations\?find=slow/);
});

test('a conversation that arrives appears by itself, and what is chosen stays chosen', async () => {
  const page = await openList('', known.length);
  await page.keyboard.press('j');
  const chosen = await page.locator('.row:focus .row-id').textContent();
  await under.send({ id: 'just-arrived', startUnixMs: Date.now() - 7000, steps: usualSteps(3000) });
  const committedAt = performance.now();
  await page.locator('.row-id', { hasText: 'just-arrived' }).waitFor();
  console.log(`${Math.round(performance.now() - committedAt)} ms from the commit of a span to its row`);
  expect((await ids(page))[0]).toBe('just-arrived');
  expect(await page.locator('.row:focus .row-id').textContent()).toBe(chosen);
  // Its bar came with it.
  const bar = page.locator('.row', { hasText: 'just-arrived' }).locator('.step-bar rect:not(.step-bar-all)');
  expect(await bar.count()).toBe(5);
});

test('who types in a field is not interrupted by rows that change', async () => {
  const page = await under.open('#/conversations');
  await page.locator('.row').first().waitFor();
  await page.keyboard.press('e');
  await page.locator('.row:focus').waitFor();
  await page.keyboard.press('/');
  await page.keyboard.type('failed-one', { delay: 30 });
  await page
    .getByRole('status')
    .getByText(/^1 of /)
    .waitFor();
  await under.send({ id: 'failed-one-too', startUnixMs: Date.now() - 7000, steps: usualSteps(3000) });
  await page.locator('.row-id', { hasText: 'failed-one-too' }).waitFor();
  expect(
    await page.evaluate(() => [document.activeElement?.id, (document.activeElement as HTMLInputElement).value]),
  ).toEqual(['find', 'failed-one']);
});

test('what went wrong is said, the rows stay, and it goes on when the server is back', async () => {
  const page = await under.open('#/conversations');
  await page.locator('.row').first().waitFor();
  await page.route('**/api/v1/**', (route) => route.abort());
  await page
    .getByRole('alert')
    .getByText(/Cannot read from/)
    .waitFor();
  expect((await ids(page)).length).toBeGreaterThan(10);
  await page.unroute('**/api/v1/**');
  await page.getByRole('alert').waitFor({ state: 'detached' });
  await settled(page);
  under.problems.splice(0);
});

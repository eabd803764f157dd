import { afterAll, afterEach, beforeAll, expect, test } from '@jest/globals';
import { usualSteps } from './conversations.ts';
import { PageUnderTest } from './page-under-test.ts';

let under: PageUnderTest;
beforeAll(async () => {
  under = await PageUnderTest.start();
});
afterEach(() => under.closePages());
afterAll(async () => {
  expect(under.problems).toEqual([]);
  await under.stop();
});

test('says what to paste while nothing has arrived, and shows the first conversation by itself', async () => {
  const page = await under.open('');
  await page.getByText(`OTEL_EXPORTER_OTLP_ENDPOINT=${under.backend.url} node your-program.js`).waitFor();
  await page.getByText('Waiting for the first span').waitFor();
  await under.send({ id: 'the-first', startUnixMs: Date.now() - 7000, steps: usualSteps(3000) });
  await page.getByRole('heading', { name: 'Now' }).waitFor();
  await page.locator('.slowest').getByText('the-first').waitFor();
});

test.each([
  ['reduce', 0],
  ['no-preference', 1],
] as const)('what waits moves only for those who want it: %s', async (reducedMotion, expected) => {
  const page = await under.open('#/conversations/nobody', { reducedMotion });
  await page.route('**/api/v1/**', () => undefined);
  await page.reload();
  await page.locator('.waiting').first().waitFor();
  expect(await page.evaluate(() => document.getAnimations().length)).toBe(expected);
  await page.context().close();
  under.problems.splice(0);
});

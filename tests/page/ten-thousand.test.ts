import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { knownConversations, usualSteps } from './conversations.ts';
import type { PlannedConversation } from './conversations.ts';
import { PageUnderTest } from './page-under-test.ts';

const COUNT = 10_000;
const nowUnixMs = Date.now();
const many = Array.from({ length: COUNT }, (_, index): PlannedConversation => ({
  id: `number-${String(index).padStart(5, '0')}`,
  startUnixMs: nowUnixMs - 60_000 - index * 8000,
  steps: usualSteps(2500 + (index % 97) * 20),
  ...(index % 40 === 0 ? { outcome: 'failed' as const } : {}),
}));

let under: PageUnderTest;
beforeAll(async () => {
  under = await PageUnderTest.start([...many, ...knownConversations(nowUnixMs).slice(0, 1)]);
});
afterAll(async () => {
  expect(under.problems).toEqual([]);
  await under.stop();
});

test('rows stand on the page before all ten thousand are read, and only those that are seen', async () => {
  const page = await under.open('#/conversations');
  await page.locator('.row').first().waitFor();
  const firstRowsMs = await page.evaluate(() => performance.now());
  await page
    .getByRole('status')
    .getByText(/^10,000 conversations/)
    .waitFor();
  const rows = await page.locator('.row').count();
  expect(rows).toBeGreaterThan(10);
  expect(rows).toBeLessThan(80);
  const paints = await page.evaluate(() =>
    performance.getEntriesByType('paint').map((entry) => Math.round(entry.startTime)),
  );
  console.log(`first paint ${paints.join(' and ')} ms, first rows ${Math.round(firstRowsMs)} ms after navigation`);
});

test('scrolling from end to end shows every part, and makes no task of its own that a person would feel', async () => {
  const page = await under.open('#/conversations');
  await page
    .getByRole('status')
    .getByText(/^10,000 conversations/)
    .waitFor();
  await page.locator('.row .step-bar rect + rect').first().waitFor();
  const devTools = await page.context().newCDPSession(page);
  // Seconds of processor time of the page's thread, whatever else the machine does.
  await devTools.send('Performance.enable', { timeDomain: 'threadTicks' });
  const busySeconds = async (): Promise<number> => {
    const { metrics } = await devTools.send('Performance.getMetrics');
    return metrics.find(({ name }) => name === 'TaskDuration')!.value;
  };
  const busyBefore = await busySeconds();
  const { frames, work, last } = await page.evaluate(async () => {
    const list = document.querySelector('.list')!;
    const frameTimes: number[] = [];
    const work: number[] = [];
    new PerformanceObserver((entries) => work.push(...entries.getEntries().map(({ duration }) => duration))).observe({
      type: 'longtask',
    });
    // As fast as a wheel is turned, then in leaps to the end.
    const bottom = list.scrollHeight - list.clientHeight;
    const places = [
      ...Array.from({ length: 150 }, (_, index) => index * 400),
      ...Array.from({ length: 50 }, (_, index) => 60_000 + ((bottom - 60_000) * (index + 1)) / 50),
    ];
    for (const place of places) {
      const before = performance.now();
      list.scrollTop = place;
      await new Promise(requestAnimationFrame);
      frameTimes.push(performance.now() - before);
    }
    return {
      frames: frameTimes.toSorted((a, b) => a - b),
      work,
      last: Number([...document.querySelectorAll('.list li')].at(-1)!.getAttribute('aria-posinset')),
    };
  });
  expect(last).toBe(COUNT);
  const busyMs = (((await busySeconds()) - busyBefore) * 1000) / frames.length;
  const at = (share: number): string => frames[Math.floor((frames.length - 1) * share)]!.toFixed(1);
  console.log(
    `over 10,000 rows: ${busyMs.toFixed(1)} ms of processor time a frame; frames of ${at(0.5)} ms (median), ${at(0.95)} ms (P95); ${work.length} tasks over 50 ms by the clock`,
  );
  expect(busyMs).toBeLessThan(25);
});

test('draws ten thousand conversations as places with more and fewer', async () => {
  const page = await under.open('#/now?since=24h');
  await page.locator('.chart canvas').waitFor();
  await page.waitForFunction(() => {
    const canvas = document.querySelector<HTMLCanvasElement>('.chart canvas')!;
    const { data } = canvas.getContext('2d')!.getImageData(0, 0, canvas.width, canvas.height);
    let drawn = 0;
    for (let index = 3; index < data.length; index += 4) if (data[index]! > 0) drawn += 1;
    return drawn > 20_000;
  });
});

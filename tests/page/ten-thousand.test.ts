import { afterAll, afterEach, beforeAll, expect, test } from '@jest/globals';
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
afterEach(() => under.closePages());
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
  await under.browser.startTracing(page, { categories: ['toplevel', 'devtools.timeline'] });
  const { frames, last } = await page.evaluate(async () => {
    const list = document.querySelector('.list')!;
    const frameTimes: number[] = [];
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
      last: Number([...document.querySelectorAll('.list li')].at(-1)!.getAttribute('aria-posinset')),
    };
  });
  const tasksMs = tasksIn(await under.browser.stopTracing());
  expect(last).toBe(COUNT);
  expect(tasksMs.length).toBeGreaterThan(frames.length);
  const busyMs = tasksMs.reduce((sum, ms) => sum + ms, 0) / frames.length;
  const longestMs = Math.max(...tasksMs);
  const at = (share: number): string => frames[Math.floor((frames.length - 1) * share)]!.toFixed(1);
  console.log(
    `over 10,000 rows: ${busyMs.toFixed(1)} ms of processor time a frame, ${longestMs.toFixed(1)} ms the longest task; frames of ${at(0.5)} ms (median), ${at(0.95)} ms (P95) by the clock`,
  );
  expect(longestMs).toBeLessThan(50);
});

/** One event of Chromium's trace. */
interface TraceEvent {
  name: string;
  ph: string;
  pid: number;
  tid: number;
  /** Microseconds of processor time, whatever else the machine does meanwhile. */
  tdur?: number;
  args: { name?: string };
}

/** Milliseconds of processor time of each task of the pages' threads. */
function tasksIn(trace: Buffer): number[] {
  const { traceEvents } = JSON.parse(trace.toString()) as { traceEvents: TraceEvent[] };
  const threadOf = ({ pid, tid }: TraceEvent): string => `${pid} ${tid}`;
  const threads = new Set(
    traceEvents.filter(({ name, args }) => name === 'thread_name' && args.name === 'CrRendererMain').map(threadOf),
  );
  return traceEvents.flatMap((event) =>
    event.name === 'ThreadControllerImpl::RunTask' && event.ph === 'X' && threads.has(threadOf(event))
      ? [(event.tdur ?? 0) / 1000]
      : [],
  );
}

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

test('a place with many says how many, and lists them by a click', async () => {
  const page = await under.open('#/now?since=24h');
  await page.getByText(/to many .* conversations in a place/).waitFor();
  const plot = page.locator('.chart .u-over');
  await plot.scrollIntoViewIfNeeded();
  const { width, height } = (await plot.boundingBox())!;
  // They lie close together in the middle: from there down, until something is there.
  const caption = page.locator('.chart-caption');
  let place = { x: width / 2, y: 0 };
  for (let y = 2; y < height; y += 3) {
    place = { x: width / 2, y };
    await plot.hover({ position: place });
    if (/^[\d,]+ conversations? of /.test((await caption.textContent()) ?? '')) break;
  }
  expect(await caption.textContent()).toMatch(/^[\d,]+ conversations? of \d+\.\d+ s to /);
  await plot.click({ position: place });
  await page.waitForURL(/#\/conversations\?since=.*until=.*order=longest/);
  await page
    .getByRole('status')
    .getByText(/^[1-9]\d* conversation/)
    .waitFor();
});

import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { averages, compare, errors, percentiles, satisfaction, timeline } from '@convotel/query';
import { knownConversations } from './conversations.ts';
import { PageUnderTest, settled } from './page-under-test.ts';

const nowUnixMs = Date.now();
let under: PageUnderTest;
beforeAll(async () => {
  under = await PageUnderTest.start(knownConversations(nowUnixMs));
});
afterAll(async () => {
  expect(under.problems).toEqual([]);
  await under.stop();
});

/** A window that does not move, around all that was sent. */
const since = new Date(nowUnixMs - 2 * 3_600_000).toISOString();
const until = new Date(nowUnixMs).toISOString();
const inWindow = `since=${encodeURIComponent(since)}&until=${encodeURIComponent(until)}`;
const asked = {
  timeZone: 'UTC',
  window: { sinceUnixNano: BigInt(Date.parse(since)) * 1_000_000n, untilUnixNano: BigInt(nowUnixMs) * 1_000_000n },
};

function seconds(ms: number): string {
  return ms < 999.5 ? `${ms.toFixed(ms < 10 ? 1 : 0)} ms` : `${(ms / 1000).toFixed(2)} s`;
}

describe('now', () => {
  test('shows the figures that the answers give', async () => {
    const page = await under.open(`#/now?${inWindow}`);
    await settled(page);
    const { source } = under.backend;
    const before = {
      sinceUnixNano: asked.window.sinceUnixNano - (asked.window.untilUnixNano - asked.window.sinceUnixNano),
      untilUnixNano: asked.window.sinceUnixNano,
    };
    const whole = (await compare(source, { timeZone: 'UTC', before, after: asked.window })).data.at(-1)!;
    const { satisfiedPct } = (await satisfaction(source, asked)).data;
    const figures = page.locator('.figures.big');
    await expect(figures.locator('.value').allTextContents()).resolves.toEqual([
      String(whole.after.count),
      seconds(whole.after.p50Ms!),
      seconds(whole.after.p95Ms!),
      `${satisfiedPct!.toFixed(0)} %`,
      seconds(whole.after.averageMs!),
      `${whole.after.errorRatePct!.toFixed(1)} %`,
    ]);
  });

  test('says which step users wait for, and why the slowest conversation was slow', async () => {
    const page = await under.open(`#/now?${inWindow}`);
    await settled(page);
    await page.getByText(/^Users wait longest for gpt/).waitFor();
    const slowest = page.locator('.slowest li').first();
    await slowest.getByText('slow-one').waitFor();
    await slowest.getByText(/GPT step is the bottleneck/).waitFor();
    await page.locator('.common-errors').getByText('API rate limit exceeded').waitFor();
  });

  test('opens a conversation by a click on its dot', async () => {
    const page = await under.open(`#/now?${inWindow}`);
    await settled(page);
    const plot = page.locator('.chart .u-over');
    await plot.scrollIntoViewIfNeeded();
    const box = (await plot.boundingBox())!;
    // The slowest lies highest: from the right place, down until something is near.
    const x = ((nowUnixMs - 8 * 60_000 - Date.parse(since)) / (nowUnixMs - Date.parse(since))) * box.width;
    for (let y = 4; y < box.height && !page.url().includes('/conversations/'); y += 8) {
      await plot.click({ position: { x, y } });
    }
    expect(page.url()).toContain('/conversations/slow-one');
  });
});

describe('one conversation', () => {
  test('shows every step where it was, with its attempt, its depth, and what it waited for', async () => {
    const page = await under.open('#/conversations/slow-one');
    await settled(page);
    const { data } = await timeline(under.backend.source, { conversationId: 'slow-one', timeZone: 'UTC' });
    const lines = page.locator('.step-line');
    expect(await lines.count()).toBe(data.steps.length);
    const durations = await page.locator('.step-line .step-length').allTextContents();
    data.steps.forEach((step, index) => expect(durations[index]).toContain(seconds(step.durationMs)));
    await page.locator('.step-line', { hasText: '#2' }).waitFor();
    await expect(page.locator('.step-line .waiting-part').count()).resolves.toBe(1);
    // Each bar begins where its step did, on one scale.
    const places = await page
      .locator('.step-span')
      .evaluateAll((bars) => bars.map((bar) => Number.parseFloat((bar as HTMLElement).style.left)));
    const scale = places.at(-1)! / data.steps.at(-1)!.offsetMs!;
    data.steps.forEach((step, index) => expect(places[index]).toBeCloseTo(step.offsetMs! * scale, 1));
    await page.locator('.gap', { hasText: '900 ms' }).waitFor();
    await page.getByText(/GPT/).first().waitFor();
  });

  test('a step that is chosen stands in the panel and in the address', async () => {
    const page = await under.open('#/conversations/slow-one');
    await settled(page);
    await page.getByRole('button', { name: /^gpt/ }).click();
    const panel = page.locator('.panel');
    await panel.getByRole('heading', { name: /gpt/ }).waitFor();
    await panel.getByText('1.74 s').waitFor();
    await panel.getByText('1,640 characters').waitFor();
    const link = page.url();
    expect(link).toMatch(/step=[0-9a-f]{16}/);
    const again = await under.open(link.slice(link.indexOf('#')));
    await again.locator('.panel').getByRole('heading', { name: /gpt/ }).waitFor();
  });

  test('an error is shown with its type and message', async () => {
    const page = await under.open('#/conversations/failed-one');
    await settled(page);
    await page.locator('.panel .error-text code', { hasText: 'rate_limit_exceeded' }).waitFor();
    await page.locator('.panel .error-text p', { hasText: 'API rate limit exceeded' }).waitFor();
  });

  test('copies itself as a link, as JSON and as a command', async () => {
    const page = await under.open('#/conversations/failed-one', { permissions: ['clipboard-read', 'clipboard-write'] });
    await settled(page);
    const copied = async (button: string): Promise<string> => {
      await page.getByRole('button', { name: button }).click();
      await page.getByRole('button', { name: 'Copied' }).waitFor();
      const text = await page.evaluate(() => navigator.clipboard.readText());
      await page.getByRole('button', { name: button }).waitFor();
      return text;
    };
    expect(await copied('Copy link')).toBe(page.url());
    expect(await copied('Copy command')).toBe(`convotel trace failed-one --from ${under.backend.url}`);
    const report = JSON.parse(await copied('Copy JSON')) as { command: string; data: { conversationId: string } };
    expect(report).toMatchObject({ command: 'trace', data: { conversationId: 'failed-one' } });
  });

  test('one that does not exist is answered in the words of the command line', async () => {
    const page = await under.open('#/conversations/nobody');
    await page
      .getByRole('alert')
      .getByText(/no conversation "nobody" in/)
      .waitFor();
  });

  test('an open one goes on by itself', async () => {
    const startUnixMs = Date.now() - 3000;
    const growing = { id: 'growing-one', startUnixMs, steps: [{ step: 'stt', atMs: 0, ms: 900 }], hasEnded: false };
    await under.send(growing);
    const page = await under.open('#/conversations/growing-one');
    await settled(page);
    expect(await page.locator('.step-line').count()).toBe(1);
    await under.send({ ...growing, steps: [{ step: 'gpt', atMs: 900, ms: 2000 }], hasEnded: true });
    await page.locator('.step-line', { hasText: 'gpt' }).waitFor();
    await page.locator('.conversation-head .outcome-completed').waitFor();
  });
});

describe('steps and compare', () => {
  test('steps shows averages, percentiles and failures of each', async () => {
    const page = await under.open(`#/steps?${inWindow}`);
    await settled(page);
    const { source } = under.backend;
    const { data: rows } = await averages(source, asked);
    const { data: failures } = await errors(source, asked);
    for (const row of rows) {
      const { p50, p95 } = (await percentiles(source, { ...asked, step: row.step })).data.percentiles;
      const failed = failures.find(({ step }) => step === row.step)?.finalFailures ?? 0;
      const cells = await page.locator('tbody tr', { hasText: row.step }).first().locator('td').allTextContents();
      const words = (ms: number | undefined): string => (ms === undefined ? '–' : seconds(ms));
      expect(cells.slice(0, 4)).toEqual([String(row.count), words(row.averageMs), words(p50), words(p95)]);
      expect(cells.at(-1)).toMatch(new RegExp(`^${failed}`));
    }
    await page.locator('.chart canvas').waitFor();
  });

  test('compare parts the window where the address says, and draws an interval for each verdict', async () => {
    const split = new Date(nowUnixMs - 30 * 60_000).toISOString();
    const page = await under.open(`#/compare?${inWindow}&split=${encodeURIComponent(split)}`);
    await settled(page);
    const splitUnixNano = BigInt(Date.parse(split)) * 1_000_000n;
    const { data } = await compare(under.backend.source, {
      timeZone: 'UTC',
      before: { ...asked.window, untilUnixNano: splitUnixNano },
      after: { ...asked.window, sinceUnixNano: splitUnixNano },
    });
    const verdicts = await page.locator('tbody td:nth-child(6)').allTextContents();
    expect(verdicts.map((text) => text.slice(2))).toEqual(data.map(({ verdict }) => verdict));
    const drawn = data.filter(({ intervalMs }) => intervalMs !== undefined).length;
    expect(await page.locator('.interval .reach').count()).toBe(drawn);
    expect(drawn).toBeGreaterThan(0);
  });
});

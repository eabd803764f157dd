import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import {
  averages,
  commonErrors,
  compare,
  errors,
  explain,
  percentiles,
  satisfaction,
  session,
  sessions,
  timeline,
  usage,
} from '@convotel/query';
import { startPageServer } from '@convotel/local';
import type { Page } from 'playwright-core';
import { knownConversations } from './conversations.ts';
import { becomes, PAGE_FOLDER, PageUnderTest, settled } from './page-under-test.ts';

const nowUnixMs = Date.now();
const PRICES = { 'small-1': { inputPerMillionTokens: 2, outputPerMillionTokens: 8 } };
let under: PageUnderTest;
beforeAll(async () => {
  under = await PageUnderTest.start(knownConversations(nowUnixMs), { prices: PRICES, currency: 'EUR' });
});
afterEach(() => under.closePages());
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

/** The cells of a table's body as they are read, row by row. */
async function cellsOf(page: Page, label: string): Promise<string[][]> {
  return page
    .getByRole('region', { name: label, exact: true })
    .locator('tbody tr')
    .evaluateAll((rows) => rows.map((row) => [...row.children].map((cell) => cell.textContent ?? '')));
}

const COUNT = new Intl.NumberFormat('en');
function counted(count: number | undefined): string {
  return count === undefined ? '–' : COUNT.format(count);
}

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
    const { satisfiedPct, conversations, open } = (await satisfaction(source, asked)).data;
    const figures = page.locator('.figures.big');
    await expect(figures.locator('.value').allTextContents()).resolves.toEqual([
      String(conversations + open),
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
    const { findings } = await explain(under.backend.source, { conversationId: 'slow-one', timeZone: 'UTC' });
    const why = findings.find(({ rule }) => rule === 'unusual-step')!.text;
    expect(why).toMatch(/^GPT took longer than/);
    await slowest.getByText(why).waitFor();
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
    const caption = page.locator('.chart-caption');
    let y = 4;
    while (y < box.height && !(await caption.textContent())!.startsWith('13.20 s, completed')) {
      y += 4;
      await plot.hover({ position: { x, y } });
    }
    await plot.click({ position: { x, y } });
    await page.waitForURL(/#\/conversations\/slow-one/);
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
    const shown = await cellsOf(page, 'Numbers of each step');
    expect(shown.map(([step]) => step)).toEqual(rows.map(({ step }) => step));
    for (const [index, row] of rows.entries()) {
      const { p50, p95 } = (await percentiles(source, { ...asked, step: row.step })).data.percentiles;
      const failed = failures.find(({ step }) => step === row.step)?.finalFailures ?? 0;
      const words = (ms: number | undefined): string => (ms === undefined ? '–' : seconds(ms));
      expect(shown[index]!.slice(1, 7)).toEqual([
        String(row.count),
        words(row.averageMs),
        words(p50),
        words(p95),
        words(row.firstOutput?.p50Ms),
        words(row.firstOutput?.p95Ms),
      ]);
      expect(shown[index]!.at(-1)).toMatch(new RegExp(failed === 0 ? '^0$' : `^✕ ${failed} \\(`));
    }
  });

  test('one step shows a hundred of its calls, its percentiles and failures over time, and how it fails', async () => {
    const page = await under.open(`#/steps?${inWindow}&step=gpt`);
    await settled(page);
    const { source } = under.backend;
    const { count, percentiles: found } = (await percentiles(source, { ...asked, step: 'gpt' })).data;
    const caption = page.locator('.distribution figcaption');
    await caption.waitFor();
    const words = (['p50', 'p95', 'p99'] as const).map((name) => `${name.toUpperCase()} ${seconds(found[name]!)}`);
    expect(await caption.textContent()).toContain(`${words.join(', ')}; of ${count} calls.`);
    // The heights of the columns are a hundred calls; the highest one reaches the top.
    const heights = await page
      .locator('.distribution-columns:not(.first-output) rect')
      .evaluateAll((bars) => bars.map((bar) => Number(bar.getAttribute('height'))));
    const highest = Math.max(...heights);
    expect(highest).toBe(100);
    const oneCall = Math.min(...heights);
    expect(heights.reduce((sum, height) => sum + height, 0) / oneCall).toBeCloseTo(100, 6);
    expect(await page.locator('.distribution-columns.first-output rect').count()).toBeGreaterThan(1);
    await page.getByRole('img', { name: 'P50 and P95 of gpt over time' }).locator('canvas').waitFor();
    const failures = (await errors(source, asked)).data.find(({ step }) => step === 'gpt')!.finalFailures;
    await page
      .getByRole('img', { name: `${failures} failures of gpt over time` })
      .locator('canvas')
      .waitFor();
    const [row] = (await commonErrors(source, asked)).data.filter(({ step }) => step === 'gpt');
    await page.locator('.common-errors').getByText(row!.pattern!).click();
    await page.waitForURL(/#\/conversations\/failed-one/);
  });

  test('one step shows its numbers for each model that did it, and none where no model is named', async () => {
    const page = await under.open(`#/steps?${inWindow}&step=gpt`);
    const { source } = under.backend;
    const grouped = { ...asked, by: 'model' };
    const rows = (await averages(source, grouped)).data.filter(({ step }) => step === 'gpt');
    const { groups = [] } = (await percentiles(source, { ...grouped, step: 'gpt' })).data;
    const failures = (await errors(source, grouped)).data.filter(({ step }) => step === 'gpt');
    expect(rows.map(({ group }) => group)).toEqual(expect.arrayContaining(['small-1', 'large-1']));
    const text = (ms: number | undefined): string => (ms === undefined ? '–' : seconds(ms));
    await becomes(
      page,
      async () => (await cellsOf(page, 'Numbers of gpt by model')).map((cells) => cells.slice(0, 6)),
      rows.map(({ group, count, averageMs, firstOutput }) => {
        const found = groups.find((each) => each.group === group)!.percentiles;
        return [
          group === '(none)' ? 'not said' : group!,
          String(count),
          text(averageMs),
          text(found.p50),
          text(found.p95),
          text(firstOutput?.p50Ms),
        ];
      }),
    );
    const failed = (await cellsOf(page, 'Numbers of gpt by model')).map((cells) => cells.at(-1));
    expect(failed.map((cell) => cell!.startsWith('✕ 1'))).toEqual(
      rows.map(({ group }) => failures.find((each) => each.group === group)?.finalFailures === 1),
    );
    await page.getByRole('link', { name: 'request' }).click();
    await page.getByRole('heading', { name: 'request', exact: true }).waitFor();
    await settled(page);
    await page.getByText('Nothing failed.').waitFor();
    expect(await page.getByRole('heading', { name: 'By model' }).count()).toBe(0);
  });

  test('what a rare step took does not make it the one that users wait for', async () => {
    const page = await under.open(`#/steps?${inWindow}`);
    await settled(page);
    await page.locator('tr.chosen', { hasText: 'gpt' }).waitFor();
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

  /** What `compare` answers for these two windows, as the verdicts on the page. */
  async function verdictsOf(before: [number, number], after: [number, number]): Promise<string[]> {
    const windowOf = ([sinceMs, untilMs]: [number, number]) => ({
      sinceUnixNano: BigInt(sinceMs) * 1_000_000n,
      untilUnixNano: BigInt(untilMs) * 1_000_000n,
    });
    const { data } = await compare(under.backend.source, {
      timeZone: 'UTC',
      before: windowOf(before),
      after: windowOf(after),
    });
    return data.map(({ step, before: { averageMs }, verdict }) => {
      return `${step} ${averageMs === undefined ? '–' : seconds(averageMs)} ${verdict}`;
    });
  }

  async function shownVerdicts(page: Page): Promise<string[]> {
    const rows = await cellsOf(page, 'Before and after, per step');
    return rows.map(([step, before, , , , verdict]) => `${step} ${before} ${verdict!.slice(2)}`);
  }

  test('compare takes any two windows from the address, and from the fields for times', async () => {
    const minute = Math.floor(nowUnixMs / 60_000) * 60_000;
    const [a, b, c, d] = [48, 30, 24, 4].map((minutes) => minute - minutes * 60_000) as [
      number,
      number,
      number,
      number,
    ];
    const text = (ms: number): string => new Date(ms).toISOString();
    const windows = new URLSearchParams({ before: `${text(a)}/${text(b)}`, after: `${text(c)}/${text(d)}` });
    const page = await under.open(`#/compare?${inWindow}&${windows}`);
    await becomes(page, () => shownVerdicts(page), await verdictsOf([a, b], [c, d]));
    const earlier = a - 10 * 60_000;
    await page.locator('.side').first().getByLabel('from').fill(text(earlier).slice(0, 16));
    await page.waitForURL(({ hash }) => hash.includes(encodeURIComponent(`${text(earlier)}/`)));
    await becomes(page, () => shownVerdicts(page), await verdictsOf([earlier, b], [c, d]));
  });

  test('compare takes two windows that are dragged over the chart, one after the other; a click splits again', async () => {
    const page = await under.open(`#/compare?${inWindow}`);
    await settled(page);
    const plot = page.locator('.chart .u-over');
    const drag = async (from: number, to: number): Promise<void> => {
      const box = (await plot.boundingBox())!;
      await page.mouse.move(box.x + from * box.width, box.y + 40);
      await page.mouse.down();
      await page.mouse.move(box.x + to * box.width, box.y + 60, { steps: 4 });
      await page.mouse.up();
    };
    await drag(0.55, 0.7);
    await page.waitForURL(/before=/);
    await drag(0.72, 0.95);
    await page.waitForURL(({ hash }) => /before=/.test(hash) && !decodeURIComponent(hash).endsWith(`/${until}`));
    const query = new URLSearchParams(new URL(page.url()).hash.split('?')[1]);
    const [before, after] = ['before', 'after'].map((name) => query.get(name)!.split('/').map(Date.parse));
    const whole = nowUnixMs - Date.parse(since);
    const share = (ms: number): number => (ms - Date.parse(since)) / whole;
    // Within what a pixel and the margin of the chart are.
    for (const [at, expected] of [
      [before![0]!, 0.55],
      [before![1]!, 0.7],
      [after![0]!, 0.72],
      [after![1]!, 0.95],
    ] as const) {
      expect(Math.abs(share(at) - expected)).toBeLessThan(0.02);
    }
    await becomes(
      page,
      () => shownVerdicts(page),
      await verdictsOf(before as [number, number], after as [number, number]),
    );
    const box = (await plot.boundingBox())!;
    await page.mouse.click(box.x + box.width / 2, box.y + 30);
    await page.waitForURL(({ hash }) => hash.includes('split=') && !hash.includes('before='));
  });
});

describe('sessions', () => {
  test('lists the sessions of the window with the numbers of the answer', async () => {
    const page = await under.open(`#/sessions?${inWindow}`);
    await settled(page);
    const { data } = await sessions(under.backend.source, asked);
    expect(data.length).toBe(3);
    const rows = await cellsOf(page, 'Sessions');
    rows.forEach((cells, index) => {
      const row = data[index]!;
      const lastedMs = Date.parse(row.endTime) - Date.parse(row.startTime);
      expect([cells[0], cells[2], cells[4], cells[5], cells[6], cells[7]]).toEqual([
        row.sessionId,
        counted(row.conversations),
        words(row.spokenMs),
        row.failures === 0 ? '0' : `✕ ${row.failures}`,
        counted(row.interruptions),
        counted(row.inputTokens),
      ]);
      expect(cells[3]).toBe(words(lastedMs));
    });
  });

  test('one session shows its conversations, the pauses between them, and what went wrong', async () => {
    const page = await under.open('#/sessions/call-7');
    await settled(page);
    const { data, findings } = await session(under.backend.source, { sessionId: 'call-7', timeZone: 'UTC' });
    const rows = await cellsOf(page, 'Conversations of the session');
    expect(rows.map(([id]) => id)).toEqual(data.conversations.map(({ conversationId }) => conversationId));
    expect(rows[0]!.at(-1)).toBe('gpt rate_limit_exceeded API rate limit exceeded');
    for (const { text } of findings) await page.locator('.findings').getByText(text).waitFor();
    expect(findings.length).toBeGreaterThan(0);

    await page.goto(`${under.backend.url}/#/sessions/call-8`);
    await page.getByRole('heading', { name: 'call-8' }).waitFor();
    await settled(page);
    const eight = (await session(under.backend.source, { sessionId: 'call-8', timeZone: 'UTC' })).data.conversations;
    const shown = await cellsOf(page, 'Conversations of the session');
    expect(shown.map((cells) => [cells[0], cells[2], cells[3]])).toEqual(
      eight.map(({ conversationId, pauseMs, durationMs }) => [conversationId, words(pauseMs), words(durationMs)]),
    );
    expect(await page.locator('.columns li').count()).toBe(eight.length);
    await page.locator('.columns a').nth(1).click();
    await page.waitForURL(new RegExp(`#/conversations/${eight[1]!.conversationId}`));
    // And back, through the strip of the conversation.
    await page.getByRole('link', { name: 'The one after' }).click();
    await page.waitForURL(new RegExp(`#/conversations/${eight[2]!.conversationId}`));
    await page.getByRole('heading', { name: 'In session call-8' }).getByRole('link').click();
    await page.waitForURL(/#\/sessions\/call-8/);
  });

  test('one that does not exist is answered in the words of the command line', async () => {
    const page = await under.open('#/sessions/nobody');
    await page
      .getByRole('alert')
      .getByText(/no conversation of a session "nobody" in/)
      .waitFor();
  });
});

describe('usage', () => {
  test.each(['model', 'step', 'day', 'workflow', 'session'] as const)(
    'by %s, with the prices of the server',
    async (by) => {
      const page = await under.open(`#/usage?${inWindow}`);
      await settled(page);
      await page.getByRole('link', { name: `By ${by}` }).click();
      const table = page.getByRole('region', { name: `Usage by ${by}` });
      await table.waitFor();
      await settled(page);
      const { data } = await usage(under.backend.source, { ...asked, by, prices: PRICES });
      await becomes(
        page,
        () => cellsOf(page, `Usage by ${by}`),
        [...data.rows, { ...data.total, group: 'Total' }].map((row) => [
          row.group ?? 'not said',
          counted(row.calls),
          counted(row.inputTokens),
          counted(row.outputTokens),
          counted(row.spokenChars),
          row.cost?.toFixed(4) ?? '–',
          counted(row.unpricedCalls),
        ]),
      );
      expect(data.total.cost).toBeGreaterThan(0);
      await table.getByText('Cost (EUR)').waitFor();
      await page.getByText('No price for large-1: add one under "prices" in convotel.json.').waitFor();
    },
  );
});

describe('in every view', () => {
  test('times are in the zone of the viewer, and another one can be chosen', async () => {
    const page = await under.open('#/conversations/slow-one', { timezoneId: 'Asia/Tokyo' });
    await settled(page);
    const clock = (timeZone: string): string =>
      new Date(nowUnixMs - 8 * 60_000).toLocaleTimeString('en-GB', { timeZone, hourCycle: 'h23' });
    await page.locator('.conversation-head').getByText(clock('Asia/Tokyo')).waitFor();
    await page.getByLabel('Time zone').selectOption('America/New_York');
    await page.locator('.conversation-head').getByText(clock('America/New_York')).waitFor();
    expect(page.url()).toContain('tz=America%2FNew_York');
  });

  test('a filter that holds is seen, and goes away by a click', async () => {
    const page = await under.open(`#/usage?${inWindow}&workflow=chat`);
    await page.getByText('No use of models in this window').waitFor();
    await page.getByRole('link', { name: 'Remove the filter workflow chat' }).click();
    await page.getByRole('region', { name: 'Usage by model' }).waitFor();
  });

  test('a window between two times can be chosen', async () => {
    const page = await under.open('#/conversations');
    await page.getByLabel('Window').selectOption('between');
    await page.waitForURL(/since=.*until=/);
    await page.getByLabel('From').fill(new Date(nowUnixMs - 3_600_000).toISOString().slice(0, 16));
    await page.getByLabel('until').fill(new Date(nowUnixMs - 10.5 * 60_000).toISOString().slice(0, 16));
    await page
      .locator('.row-id')
      .first()
      .getByText(/^usual-1$|^usual-2$/)
      .waitFor();
  });

  test('a conversation that comes from Jaeger can be opened there', async () => {
    const { source } = under.backend;
    const jaeger = {
      kind: 'jaeger' as const,
      location: 'http://jaeger.example:16686/',
      ask: source.ask.bind(source),
      close: async () => undefined,
    };
    const server = await startPageServer({ source: jaeger, pageFolder: PAGE_FOLDER, port: 0 });
    try {
      const page = await under.open('#/conversations/slow-one');
      await page.goto(`${server.url}/#/conversations/slow-one`);
      const { traceId } = (await timeline(source, { conversationId: 'slow-one', timeZone: 'UTC' })).data;
      const link = page.getByRole('link', { name: 'Open in Jaeger' });
      expect(await link.getAttribute('href')).toBe(`http://jaeger.example:16686/trace/${traceId}`);
      await page.locator('.elsewhere .command', { hasText: '--from http://jaeger.example:16686/' }).waitFor();
    } finally {
      await under.closePages();
      await server.stop();
    }
  });
});

/** A duration as the page writes it. */
function words(ms: number): string {
  if (ms === 0) return '0 ms';
  if (ms < 59_995) return seconds(ms);
  const whole = Math.round(ms / 1000);
  return `${Math.floor(whole / 60)} min ${String(whole % 60).padStart(2, '0')} s`;
}

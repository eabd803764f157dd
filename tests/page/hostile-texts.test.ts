import { afterAll, afterEach, beforeAll, expect, test } from '@jest/globals';
import { ODD_TEXTS } from '@convotel/suite';
import { becomes, PageUnderTest, settled } from './page-under-test.ts';

/** Each would run, load or redirect if it were taken for anything but text. */
const HOSTILE_TEXTS: readonly string[] = [
  '<script>globalThis.ran = 1</script>',
  '<img src=x onerror="globalThis.ran = 1">',
  '"><svg onload=globalThis.ran=1>',
  'javascript:globalThis.ran=1',
  '</pre></textarea><iframe srcdoc="<script>parent.ran=1</script>">',
  '{{constructor.constructor("ran=1")()}}',
  '<a href="javascript:ran=1">x</a>',
  '<style>*{display:none}</style>',
  '<base href="//evil.example/">',
  '<meta http-equiv="refresh" content="0;url=//evil.example/">',
  ...ODD_TEXTS.filter((text) => text.trim() !== '' && !text.includes('\0')),
];

const startUnixMs = Date.now() - 600_000;
let under: PageUnderTest;
beforeAll(async () => {
  under = await PageUnderTest.start(
    HOSTILE_TEXTS.map((text, index) => ({
      id: `${index} ${text}`.slice(0, 100),
      startUnixMs: startUnixMs + index * 1000,
      outcome: 'failed' as const,
      facts: { workflow: text, serviceName: text, sessionId: text },
      steps: [
        {
          step: text,
          atMs: 0,
          ms: 100 + index,
          outcome: 'failed' as const,
          errorType: text,
          errorMessage: text,
          inputText: text,
          outputText: text,
          model: text,
          inputTokens: 1,
        },
      ],
    })),
  );
});
afterEach(() => under.closePages());
afterAll(async () => {
  expect(under.problems).toEqual([]);
  await under.stop();
});

test('no text of a span runs anything, in any view', async () => {
  for (const view of ['now', 'conversations', 'sessions', 'steps', 'compare', 'usage']) {
    const page = await under.open(`#/${view}?since=1h`);
    await settled(page);
    expect(await page.evaluate(() => [Reflect.get(globalThis, 'ran'), document.scripts.length])).toEqual([
      undefined,
      1,
    ]);
    expect(await page.locator('iframe, base, main script, main style, main meta').count()).toBe(0);
    await page.context().close();
  }
});

test.each(HOSTILE_TEXTS.map((text, index) => [index, text] as const))(
  'text %i stands on the page as it was sent',
  async (index, text) => {
    const id = `${index} ${text}`.slice(0, 100);
    const page = await under.open(`#/conversations/${encodeURIComponent(id)}`);
    await settled(page);
    expect(await page.locator('.error-text p').evaluate((place) => place.textContent)).toBe(text);
    expect(
      await page
        .locator('.span-text pre')
        .first()
        .evaluate((place) => place.textContent),
    ).toBe(text);
    expect(await page.locator('.conversation-head .id').evaluate((place) => place.textContent)).toBe(id);
    expect(await page.evaluate(() => [Reflect.get(globalThis, 'ran'), document.scripts.length])).toEqual([
      undefined,
      1,
    ]);
    await page.context().close();
  },
);

test.each(['sessions', 'steps', 'usage', 'usage?by=step', 'usage?by=workflow', 'usage?by=session'])(
  'names in the table of %s are the texts as they were sent',
  async (view) => {
    const page = await under.open(`#/${view}${view.includes('?') ? '&' : '?'}since=1h`);
    const names = async (): Promise<string[]> => {
      const cells = await page.locator('tbody th').evaluateAll((found) => found.map((cell) => cell.textContent ?? ''));
      return cells.filter((name) => name !== 'Total').toSorted();
    };
    await becomes(page, names, [...new Set(HOSTILE_TEXTS)].toSorted());
    expect(await page.evaluate(() => Reflect.get(globalThis, 'ran'))).toBeUndefined();
    await page.context().close();
  },
);

test('a session shows its id and its error as they were sent', async () => {
  const page = await under.open('#/sessions');
  for (const text of HOSTILE_TEXTS) {
    await page.evaluate((id) => {
      location.hash = `#/sessions/${encodeURIComponent(id)}`;
    }, text);
    const shown = (): Promise<(string | null)[]> =>
      page.evaluate(() =>
        ['.conversation-head .id', '.session-error code', '.session-error'].map(
          (place) => document.querySelector(place)?.textContent ?? null,
        ),
      );
    await becomes(page, shown, [text, ` ${text}`, `${text} ${text} ${text}`]);
  }
  expect(await page.evaluate(() => [Reflect.get(globalThis, 'ran'), document.scripts.length])).toEqual([undefined, 1]);
});

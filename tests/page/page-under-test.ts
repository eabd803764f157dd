import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { isDeepStrictEqual } from 'node:util';
import { expect } from '@jest/globals';
import { startLocalBackend } from '@convotel/local';
import type { LocalBackend, PageSettings } from '@convotel/local';
import { deliverSpans } from '@convotel/suite';
import { chromium } from 'playwright-core';
import type { Browser, BrowserContextOptions, Page } from 'playwright-core';
import { spansOf } from './conversations.ts';
import type { PlannedConversation } from './conversations.ts';

const ROOT = resolve(dirname(fileURLToPath(import.meta.url)), '../..');

/** Where the build puts the page. */
export const PAGE_FOLDER = join(ROOT, 'packages/cli/dist/page');

/** How long anything is waited for, in milliseconds: long, since the machine may be busy with other tests. */
const MAX_LOOKING_MS = 90_000;

/** A real back end that serves the page, and a real browser to look at it with. */
export class PageUnderTest {
  readonly backend: LocalBackend;
  readonly browser: Browser;
  readonly #folder: string;
  /** What the browser reported as an error, of any page. */
  readonly problems: string[] = [];

  private constructor(backend: LocalBackend, browser: Browser, folder: string) {
    this.backend = backend;
    this.browser = browser;
    this.#folder = folder;
  }

  static async start(
    conversations: readonly PlannedConversation[] = [],
    pageSettings?: PageSettings,
  ): Promise<PageUnderTest> {
    const folder = await mkdtemp(join(tmpdir(), 'convotel-page-'));
    const backend = await startLocalBackend({
      port: 0,
      storePath: join(folder, 'page.duckdb'),
      pageFolder: PAGE_FOLDER,
      pageSettings,
    });
    const browser = await launchChromium();
    const started = new PageUnderTest(backend, browser, folder);
    await started.send(...conversations);
    return started;
  }

  async send(...conversations: PlannedConversation[]): Promise<void> {
    await deliverSpans(this.backend.url, conversations.flatMap(spansOf));
  }

  /** A page at `hash`, such as `#/conversations`; times are shown in UTC. */
  async open(hash: string, options: BrowserContextOptions = {}): Promise<Page> {
    const context = await this.browser.newContext({
      viewport: { width: 1280, height: 800 },
      timezoneId: 'UTC',
      ...options,
    });
    context.setDefaultTimeout(MAX_LOOKING_MS);
    const page = await context.newPage();
    page.on('pageerror', (error) => this.problems.push(String(error)));
    page.on('console', (message) => {
      if (message.type() === 'error') this.problems.push(message.text());
    });
    await page.goto(`${this.backend.url}/${hash}`);
    return page;
  }

  /** A page that is open goes on asking, which the next test would wait for. */
  async closePages(): Promise<void> {
    await Promise.all(this.browser.contexts().map((context) => context.close()));
  }

  async stop(): Promise<void> {
    await this.browser.close();
    await this.backend.stop();
    await rm(this.#folder, { recursive: true, force: true });
  }
}

/** The Chromium that `find-chromium.mjs` found. */
export function launchChromium(): Promise<Browser> {
  const executablePath = process.env['CONVOTEL_CHROMIUM'];
  if (executablePath === undefined) throw new Error('run these tests by `npm run test:page`, which finds a Chromium');
  return chromium.launch({ executablePath, args: ['--no-sandbox', '--disable-dev-shm-usage'] });
}

/** Until nothing on the page is being asked for. */
export async function settled(page: Page): Promise<void> {
  await page.locator('h1').first().waitFor();
  await page.waitForFunction(() => document.querySelector('.waiting') === null);
}

/** Reads again at each frame until it is `expected`; what it was last is what fails. */
export async function becomes<Value>(page: Page, read: () => Promise<Value>, expected: Value): Promise<void> {
  const since = performance.now();
  for (;;) {
    const value = await read();
    if (isDeepStrictEqual(value, expected) || performance.now() - since > MAX_LOOKING_MS) {
      expect(value).toEqual(expected);
      return;
    }
    await page.evaluate(() => new Promise(requestAnimationFrame));
  }
}

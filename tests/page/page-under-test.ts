import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { startLocalBackend } from '@convotel/local';
import type { LocalBackend } from '@convotel/local';
import { deliverSpans } from '@convotel/suite';
import { chromium } from 'playwright-core';
import type { Browser, BrowserContextOptions, Page } from 'playwright-core';
import { spansOf } from './conversations.ts';
import type { PlannedConversation } from './conversations.ts';

const ROOT = resolve(dirname(fileURLToPath(import.meta.url)), '../..');

/** Where the build puts the page. */
export const PAGE_FOLDER = join(ROOT, 'packages/cli/dist/page');

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

  static async start(conversations: readonly PlannedConversation[] = []): Promise<PageUnderTest> {
    const folder = await mkdtemp(join(tmpdir(), 'convotel-page-'));
    const backend = await startLocalBackend({
      port: 0,
      storePath: join(folder, 'page.duckdb'),
      pageFolder: PAGE_FOLDER,
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
    const page = await context.newPage();
    page.on('pageerror', (error) => this.problems.push(String(error)));
    page.on('console', (message) => {
      if (message.type() === 'error') this.problems.push(message.text());
    });
    await page.goto(`${this.backend.url}/${hash}`);
    return page;
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

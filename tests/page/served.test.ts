import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterAll, afterEach, beforeAll, expect, test } from '@jest/globals';
import { PAGE_FOLDER, PageUnderTest } from './page-under-test.ts';

/** All files of the page together, gzipped. */
const MAX_PAGE_BYTES = 150 * 1024;

let under: PageUnderTest;
beforeAll(async () => {
  under = await PageUnderTest.start();
});
afterEach(() => under.closePages());
afterAll(async () => {
  await under.stop();
});

const files = readdirSync(PAGE_FOLDER, { recursive: true, encoding: 'utf8', withFileTypes: true }).filter((each) =>
  each.isFile(),
);

test('the page is small', () => {
  const sizes = files.map(
    ({ parentPath, name }) => [name, gzipSync(readFileSync(join(parentPath, name))).length] as const,
  );
  console.log(sizes.map(([name, bytes]) => `${name} ${bytes} B`).join('\n'));
  expect(sizes.reduce((sum, [, bytes]) => sum + bytes, 0)).toBeLessThan(MAX_PAGE_BYTES);
});

test('nothing comes from elsewhere, and nothing that is not a file of the page may run', async () => {
  const context = await under.browser.newContext();
  const page = await context.newPage();
  const asked: string[] = [];
  page.on('request', (request) => asked.push(new URL(request.url()).origin));
  const response = await page.goto(under.backend.url);
  await page.getByText('Waiting for the first span').waitFor();
  expect([...new Set(asked)]).toEqual([under.backend.url]);

  const policy = response!.headers()['content-security-policy']!;
  expect(policy).toContain("default-src 'none'");
  expect(policy).not.toMatch(/unsafe|\*|data:|blob:|https?:/);
  const isRun = await page.evaluate(async () => {
    const script = document.createElement('script');
    script.textContent = 'globalThis.ran = 1';
    document.body.append(script);
    await new Promise((resolve) => setTimeout(resolve, 0));
    return Reflect.get(globalThis, 'ran') === 1;
  });
  expect(isRun).toBe(false);
});

test('files with their contents in the name are kept by browsers, the page itself is asked for again', async () => {
  const page = await fetch(under.backend.url);
  expect(page.headers.get('cache-control')).toBe('no-cache');
  const script = files.find(({ name }) => name.endsWith('.js'))!.name;
  const file = await fetch(`${under.backend.url}/assets/${script}`);
  expect(file.headers.get('cache-control')).toContain('immutable');
  expect(file.headers.get('content-encoding')).toBe('gzip');
  const plain = await fetch(`${under.backend.url}/assets/${script}`, { headers: { 'accept-encoding': 'gzip;q=0' } });
  expect(plain.headers.get('content-encoding')).toBeNull();
  expect(await plain.text()).toBe(await file.text());
});

test.each(['/..%2f..%2fpackage.json', '/assets/', '/assets/../../package.json', '/page', '/index.html'])(
  'nothing but the files of the page is given: %s',
  async (path) => {
    expect((await fetch(under.backend.url + path)).status).toBe(404);
  },
);

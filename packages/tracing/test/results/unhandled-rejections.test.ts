import { execFile } from 'node:child_process';
import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { beforeAll, expect, test } from '@jest/globals';

const folder = dirname(fileURLToPath(import.meta.url));

/** Programs in which something rejects or throws, written around `step(function)`. */
const PROGRAMS: Readonly<Record<string, string>> = {
  'a promise that nobody handles': `step(() => fail());`,
  'a promise that is handled': `step(() => fail()).catch(() => {});`,
  'a promise whose derived one nobody handles': `step(() => fail()).then(() => {});`,
  'a promise that is handled late': `const p = step(() => fail()); setTimeout(() => p.catch(() => {}), 30);`,
  'a subclass that nobody asks': `step(() => new Task((_, no) => setTimeout(no, 5, new Error('busy'))));`,
  'a subclass that is handled': `step(() => new Task((_, no) => setTimeout(no, 5, new Error('busy')))).catch(() => {});`,
  'a subclass that is handled late': `const p = step(() => new Task((_, no) => setTimeout(no, 5, new Error('busy')))); setTimeout(() => p.catch(() => {}), 30);`,
  'a subclass whose derived promise nobody handles': `step(() => new Task((_, no) => setTimeout(no, 5, new Error('busy')))).then(() => {});`,
  'a subclass whose finally nobody handles': `step(() => new Task((_, no) => setTimeout(no, 5, new Error('busy')))).finally(() => {});`,
  'a subclass that two steps return, handled once': `const p = new Task((_, no) => setTimeout(no, 5, new Error('busy'))); step(() => p).catch(() => {}); step(() => p);`,
  'a subclass that two steps return, handled by the second': `const p = new Task((_, no) => setTimeout(no, 5, new Error('busy'))); step(() => p); step(() => p).catch(() => {});`,
  'a subclass that two steps return, handled by none': `const p = new Task((_, no) => setTimeout(no, 5, new Error('busy'))); step(() => p); step(() => p);`,
  'a promise with own doors that nobody asks': `step(() => new Lazy());`,
  'a promise with own doors that is handled': `step(() => new Lazy()).catch(() => {});`,
  'a promise with own doors whose then nobody handles': `step(() => new Lazy()).then(() => {});`,
  'a promise with own doors whose other method nobody handles': `step(() => new Lazy()).raw();`,
  'a method that asks and handles itself': `step(() => new Lazy()).asCallback(() => {});`,
  'a next that nobody handles': `step(async function* () { yield await fail(); }).next();`,
  'a next that is handled': `step(async function* () { yield await fail(); }).next().catch(() => {});`,
  'a web stream that nobody reads': `step(() => new ReadableStream({ start(c) { c.error(new Error('busy')); } }));`,
  'a web stream whose read nobody handles': `step(() => new ReadableStream({ start(c) { c.error(new Error('busy')); } })).getReader().read();`,
  'a web stream whose read is handled': `step(() => new ReadableStream({ async pull() { await fail(); } })).getReader().read().catch(() => {});`,
  'a web stream whose iteration is handled': `(async () => { for await (const _ of step(() => new ReadableStream({ async pull() { await fail(); } }))); })().catch(() => {});`,
  'a web stream whose pipe is handled': `step(() => new ReadableStream({ async pull() { await fail(); } })).pipeTo(new WritableStream()).catch(() => {});`,
  'a web stream whose two branches are handled': `for (const s of step(() => new ReadableStream({ async pull() { await fail(); } })).tee()) s.getReader().read().catch(() => {});`,
  'a Node stream whose error nobody handles': `step(() => new Readable({ read() { this.destroy(new Error('busy')); } })).resume();`,
  'a Node stream whose error is handled': `step(() => new Readable({ read() { this.destroy(new Error('busy')); } })).on('error', () => {}).resume();`,
  'a promise in an object that nobody handles': `step(() => ({ usage: fail() }), { until: (r) => r.usage });`,
  'a promise in an object that is handled': `step(() => ({ usage: fail() }), { until: (r) => r.usage }).usage.catch(() => {});`,
  'a promise that until makes': `step(() => ({ usage: fail() }), { until: (r) => Promise.all([r.usage]) }).usage.catch(() => {});`,
};

/** All programs one after another, each with what the process heard of it. */
function source(isTraced: boolean): string {
  const bodies = Object.entries(PROGRAMS).map(
    ([what, body]) => `await program(${JSON.stringify(what)}, () => { ${body} });`,
  );
  return `
    import { Readable } from 'node:stream';
    import { NodeTracerProvider } from '@opentelemetry/sdk-trace-node';
    import { startConversation } from '@convotel/tracing';
    new NodeTracerProvider().register();
    const c = startConversation();
    const step = ${isTraced ? `(run, options = {}) => c.step('gpt', options, run)` : `(run) => run()`};
    class Task extends Promise {}
    class Lazy extends Promise {
      constructor() { super((resolve) => resolve()); }
      raw() { return fail(); }
      asCallback(done) { const promise = this.then(); promise.catch(done); return promise; }
      then(...given) { return this.raw().then(...given); }
      catch(...given) { return this.raw().catch(...given); }
    }
    const later = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
    const fail = async () => { await later(5); throw new Error('busy'); };
    let heard = [];
    const all = {};
    process.on('unhandledRejection', (error) => heard.push('unhandled ' + error?.message));
    process.on('uncaughtException', (error) => heard.push('uncaught ' + error?.message));
    process.on('rejectionHandled', () => heard.push('handled late'));
    async function program(what, body) {
      heard = [];
      body();
      await later(100);
      all[what] = heard;
    }
    ${bodies.join('\n')}
    console.log(JSON.stringify(all));
  `;
}

async function run(isTraced: boolean): Promise<Record<string, string[]>> {
  const { stdout } = await promisify(execFile)(process.execPath, ['--input-type=module', '-e', source(isTraced)], {
    cwd: folder,
    env: { ...process.env, NODE_OPTIONS: '' },
  });
  return JSON.parse(stdout) as Record<string, string[]>;
}

let traced: Record<string, string[]>;
let bare: Record<string, string[]>;
beforeAll(async () => {
  [traced, bare] = await Promise.all([run(true), run(false)]);
});

test.each(Object.keys(PROGRAMS))('%s is as it was', (what) => {
  expect(traced[what]).toEqual(bare[what]);
});

test('some are unhandled, some are not', () => {
  expect(bare['a promise that nobody handles']).toEqual(['unhandled busy']);
  expect(bare['a promise that is handled']).toEqual([]);
  expect(bare['a Node stream whose error nobody handles']).toEqual(['uncaught busy']);
});

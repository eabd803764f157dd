import { execFile } from 'node:child_process';
import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { expect, test } from '@jest/globals';

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

function program(body: string, isTraced: boolean): string {
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
    const fail = async () => { await new Promise((resolve) => setTimeout(resolve, 5)); throw new Error('busy'); };
    for (const event of ['unhandledRejection', 'uncaughtException', 'rejectionHandled']) {
      process.on(event, (error) => console.log(event, error?.message));
    }
    ${body}
  `;
}

async function run(source: string): Promise<string> {
  const { stdout } = await promisify(execFile)(process.execPath, ['--input-type=module', '-e', source], {
    cwd: folder,
    env: { ...process.env, NODE_OPTIONS: '' },
  });
  return stdout;
}

test.each(Object.entries(PROGRAMS))('%s is as it was', async (_what, body) => {
  const [traced, bare] = await Promise.all([run(program(body, true)), run(program(body, false))]);
  expect(traced).toBe(bare);
});

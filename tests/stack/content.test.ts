import { createReadStream } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { traceIdOf } from '@convotel/conventions';
import { afterEach, expect, test } from '@jest/globals';
import { runConvotel } from '../../packages/cli/test/processes/run-convotel.ts';
import { readJaegerTrace } from './reading/jaeger-spans.ts';
import { queryExemplars } from './reading/prometheus.ts';
import { startStack } from './src/start-stack.ts';
import type { Stack, StackOptions } from './src/start-stack.ts';
import type { LiveProgramOptions } from './src/traffic/live-program.ts';
import { runProgram } from './src/traffic/run-program.ts';
import { waitUntil } from './src/wait-until.ts';
import { SPAN_METRIC } from '../../grafana/src/queries/prometheus-names.ts';

const STRIP_CONTENT = fileURLToPath(new URL('../../collector-config/strip-content.yaml', import.meta.url));
/** Each is heard and answered, which makes two hundred texts. */
const conversationIds = Array.from({ length: 100 }, (_, index) => `canary_${index}_end`);
const canaries = conversationIds.flatMap((id) => [`heard ${id}`, `answer to ${id}`]);

const ZEROS = Buffer.alloc(2 ** 20);

let stack: Stack | undefined;
/** Lets the program of the current test have the conversations with these ids. */
let talk: (ids: string[]) => Promise<unknown>;

afterEach(async () => {
  await stack?.stop();
});

async function haveConversations(options: StackOptions, program: Partial<LiveProgramOptions>): Promise<Stack> {
  // Badger, so that what Jaeger keeps is in files that can be searched too.
  stack = await startStack({ storage: 'badger', ...options });
  const { otlpUrl: endpoint, jaegerUrl } = stack;
  const defaults = { captureContent: false, thinkMs: 20, writesContentElsewhere: false };
  talk = (ids) =>
    runProgram('live-program', { endpoint, serviceName: 'voice-bot', conversationIds: ids, ...defaults, ...program });
  await talk(conversationIds);
  await waitUntil('Jaeger to have the last conversation', async () => {
    return (await readJaegerTrace(jaegerUrl, traceIdOf(conversationIds.at(-1)!))).length === 3;
  });
  return stack;
}

/** The canaries that stand in what Jaeger answers. */
async function findInJaeger({ jaegerUrl }: Stack): Promise<string[]> {
  const traces = await Promise.all(
    conversationIds.map(async (id) => (await fetch(`${jaegerUrl}/api/v3/traces/${traceIdOf(id)}`)).text()),
  );
  expect(traces.every((trace) => trace.includes('"gpt"'))).toBe(true);
  return canaries.filter((canary) => traces.some((trace) => trace.includes(canary)));
}

/** The canaries that stand in a file of the stack (queues, stores, logs), by its path. */
async function findInFiles({ folder }: Stack): Promise<Map<string, string[]>> {
  const found = new Map<string, string[]>();
  for (const entry of await readdir(folder, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile()) continue;
    const path = join(entry.parentPath, entry.name);
    const inFile = await findInFile(path);
    if (inFile.length > 0) found.set(path.slice(folder.length + 1), inFile);
  }
  return found;
}

async function findInFile(path: string): Promise<string[]> {
  const found = new Set<string>();
  let end: Buffer = Buffer.alloc(0);
  for await (const chunk of createReadStream(path, { highWaterMark: ZEROS.length }) as AsyncIterable<Buffer>) {
    // Jaeger's store makes room in advance, so a file may be a gigabyte of nothing.
    if (chunk.equals(ZEROS)) continue;
    // A text may lie across two chunks.
    const text = Buffer.concat([end, chunk]).toString('latin1');
    for (const [canary] of text.matchAll(/(heard|answer to) canary_\d+_end/g)) found.add(canary);
    end = chunk.subarray(-100);
  }
  return [...found];
}

/** The canaries that stand in a label or exemplar of Prometheus. */
async function findInPrometheus({ prometheusUrl }: Stack): Promise<string[]> {
  let attempt = 0;
  const all = await waitUntil('Prometheus to have the series of both sources, and exemplars', async () => {
    const exemplars = await queryExemplars(prometheusUrl, `${SPAN_METRIC.duration}_bucket{span_name="gpt"}`);
    const series = await (await fetch(`${prometheusUrl}/api/v1/series?match[]={__name__!=""}`)).text();
    if (exemplars.length > 0 && series.includes('conversation_step_timing_seconds')) {
      return series + JSON.stringify(exemplars);
    }
    // An exemplar that came along with a series new to Prometheus was not kept, so there must be a later one.
    await talk([`canary_${100 + attempt++}_end`]);
    return undefined;
  });
  return canaries.filter((canary) => all.includes(canary));
}

test('by default nothing that was said leaves the program', async () => {
  const plain = await haveConversations({}, {});
  expect(await findInJaeger(plain)).toEqual([]);
  expect(await findInPrometheus(plain)).toEqual([]);
  expect(await findInFiles(plain)).toEqual(new Map());
});

test('with content capture on, Jaeger has every text, and `trace` shows it', async () => {
  const capturing = await haveConversations({}, { captureContent: true });
  expect(await findInJaeger(capturing)).toEqual(canaries);
  expect(await findInPrometheus(capturing)).toEqual([]);
  // The search through files finds what there is, or the tests beside this one would prove nothing.
  const files = await findInFiles(capturing);
  expect([...files.keys()].filter((path) => path.startsWith('collector-queue/'))).not.toEqual([]);
  expect([...files.keys()].filter((path) => path.startsWith('jaeger/'))).not.toEqual([]);

  const { stdout } = await runConvotel(['trace', conversationIds[7]!, '--from', capturing.jaegerUrl]);
  expect(stdout).toContain('heard canary_7_end');
  expect(stdout).toContain('answer to canary_7_end');
});

test('with strip-content.yaml no text gets past the collector, whatever programs send', async () => {
  const program = { captureContent: true, writesContentElsewhere: true };
  const stripping = await haveConversations({ overlays: [STRIP_CONTENT] }, program);
  expect(await findInJaeger(stripping)).toEqual([]);
  expect(await findInPrometheus(stripping)).toEqual([]);
  expect(await findInFiles(stripping)).toEqual(new Map());
  const [step] = (await readJaegerTrace(stripping.jaegerUrl, traceIdOf(conversationIds[0]!))).filter(
    ({ name }) => name === 'gpt',
  );
  // The rest of the span is there, lengths included.
  expect(step?.attributes.get('conversation.input.chars')).toBe(String('heard canary_0_end'.length));
  expect([...step!.attributes.keys()].filter((name) => /pii|messages|instructions/.test(name))).toEqual([]);
});

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { startTracing } from '@convotel/sdk';
import type { Tracing, TracingOptions } from '@convotel/sdk';
import { conversation } from '@convotel/tracing';
import { diag } from '@opentelemetry/api';
import { withEnvironment } from '../support/environment.ts';
import { accept, startOtlpReceiver } from '../support/otlp-receiver.ts';
import type { OtlpReceiver } from '../support/otlp-receiver.ts';

let receiver: OtlpReceiver;
let folder: string;
let warnings: string[];
let running: Tracing | undefined;

beforeEach(async () => {
  receiver = await startOtlpReceiver();
  folder = mkdtempSync(join(tmpdir(), 'convotel-settings-'));
  warnings = [];
});

afterEach(async () => {
  await running?.shutdown({ deadlineMs: 100 });
  running = undefined;
  diag.disable();
  await receiver.stop();
  rmSync(folder, { recursive: true, force: true });
});

/** Starts in this environment, has one conversation, and shuts down. */
async function runWith(environment: Record<string, string>, options: TracingOptions = {}): Promise<void> {
  await withEnvironment(environment, async () => {
    running = startTracing({
      metrics: false,
      journal: { folder },
      warn: (message) => void warnings.push(message),
      ...options,
    });
    conversation((c) => c.step('first', () => 1));
    await running.shutdown({ deadlineMs: 2000 });
  });
}

describe('a variable that cannot be used is named once, with what is used instead', () => {
  test.each([
    [
      { OTEL_TRACES_SAMPLER: 'traceidratio', OTEL_TRACES_SAMPLER_ARG: '50%' },
      'OTEL_TRACES_SAMPLER_ARG is "50%"',
      'Write a number from 0 to 1: 0.5',
    ],
    [{ OTEL_TRACES_SAMPLER: 'sometimes' }, 'OTEL_TRACES_SAMPLER is "sometimes"', 'every conversation is kept'],
    [{ OTEL_EXPORTER_OTLP_PROTOCOL: 'grpc' }, 'OTEL_EXPORTER_OTLP_PROTOCOL is "grpc"', '; http/json is used'],
    [{ OTEL_EXPORTER_OTLP_TRACES_COMPRESSION: 'br' }, 'OTEL_EXPORTER_OTLP_TRACES_COMPRESSION is "br"', 'none is used'],
    [{ OTEL_EXPORTER_OTLP_TIMEOUT: 'ten' }, 'OTEL_EXPORTER_OTLP_TIMEOUT is "ten"', '10000 ms is used'],
    [{ OTEL_TRACES_SAMPLER_ARG: '0.1' }, 'OTEL_TRACES_SAMPLER_ARG is "0.1"', 'so it is ignored'],
    [{ OTEL_RESOURCE_ATTRIBUTES: 'team=%zz' }, 'OTEL_RESOURCE_ATTRIBUTES is "team=%zz"', 'the entry is left out'],
    [{ OTEL_EXPORTER_OTLP_CERTIFICATE: '/proc/version' }, 'OTEL_EXPORTER_OTLP_CERTIFICATE is', 'not in PEM form'],
    [{ OTEL_EXPORTER_OTLP_CERTIFICATE: '/no/such.pem' }, 'OTEL_EXPORTER_OTLP_CERTIFICATE is "/no/such.pem"', 'ENOENT'],
    [{ OTEL_EXPORTER_OTLP_HEADERS: 'no-separator' }, 'OTEL_EXPORTER_OTLP_HEADERS holds an entry', 'it is left out'],
    [{ OTEL_SDK_DISABLED: 'yes' }, 'OTEL_SDK_DISABLED is "yes"', 'false is used'],
    [{ OTEL_LOG_LEVEL: 'loud' }, 'OTEL_LOG_LEVEL is "loud"', 'nothing is logged'],
    [{ OTEL_BSP_SCHEDULE_DELAY: '-1' }, 'OTEL_BSP_SCHEDULE_DELAY is "-1"', '1000 ms is used'],
    [{ OTEL_RESOURCE_ATTRIBUTES: 'a=b,c' }, 'OTEL_RESOURCE_ATTRIBUTES is "c"', 'the entry is left out'],
    [{ OTEL_PROPAGATORS: 'b3' }, 'OTEL_PROPAGATORS is "b3"', 'it is left out'],
    [{ OTEL_SPAN_ATTRIBUTE_COUNT_LIMIT: 'many' }, 'OTEL_SPAN_ATTRIBUTE_COUNT_LIMIT is "many"', '128 is used'],
    [{ CONVOTEL_JOURNAL: 'perhaps' }, 'CONVOTEL_JOURNAL is "perhaps"', 'on is used'],
    [
      { OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT: 'some' },
      'CAPTURE_MESSAGE_CONTENT is "some"',
      'none is used',
    ],
  ])('%j', async (environment, named, instead) => {
    await runWith({ OTEL_EXPORTER_OTLP_ENDPOINT: receiver.endpoint, ...environment });
    expect(warnings).toEqual([expect.stringContaining(named)]);
    expect(warnings[0]).toContain(instead);
    expect(receiver.spans()).toHaveLength(2);
  });

  test.each([
    ['Always_Off', undefined, 0, undefined],
    ['"always_off"', undefined, 0, undefined],
    ['ParentBased_TraceIdRatio', ' "0.0" ', 0, undefined],
    ['TraceIdRatio', '1.0', 2, 1],
  ])('the sampler is what the spec says it is: %s %s', async (sampler, ratio, spans, told) => {
    const argument = ratio === undefined ? {} : { OTEL_TRACES_SAMPLER_ARG: ratio };
    await runWith({ OTEL_TRACES_SAMPLER: sampler, ...argument }, { endpoint: receiver.endpoint });
    expect(receiver.spans()).toHaveLength(spans);
    expect(receiver.resource()['conversation.sampling.ratio']).toBe(told);
    expect(warnings).toEqual([]);
  });

  test('what can be read of a resource is used, without quotes and spaces', async () => {
    const attributes = ' "team=voice%20bots, wrong ,key=a=b,bad=%zz" ';
    const environment = { OTEL_SERVICE_NAME: ' "bot" ', OTEL_RESOURCE_ATTRIBUTES: attributes };
    await runWith(environment, { endpoint: receiver.endpoint });
    expect(receiver.resource()).toMatchObject({ 'service.name': 'bot', team: 'voice bots', key: 'a=b' });
    expect(receiver.resource()).not.toHaveProperty('bad');
    expect(warnings).toHaveLength(2);
  });

  test('values are compared without case, quotes and spaces', async () => {
    await runWith({
      OTEL_EXPORTER_OTLP_ENDPOINT: ` ${receiver.endpoint} `,
      OTEL_EXPORTER_OTLP_PROTOCOL: 'HTTP/JSON',
      OTEL_EXPORTER_OTLP_COMPRESSION: "'GZip'",
      OTEL_TRACES_SAMPLER: ' Always_On ',
      OTEL_TRACES_EXPORTER: 'OTLP',
    });
    expect(warnings).toEqual([]);
    expect(receiver.requests).toMatchObject([{ headers: { 'content-encoding': 'gzip' } }]);
  });
});

describe('an endpoint', () => {
  test.each(['127.0.0.1:4318', 'collector:4318', 'grpc://collector:4317', 'http//collector'])(
    'that cannot be used is not replaced by another: %s',
    async (endpoint) => {
      await runWith({ OTEL_EXPORTER_OTLP_ENDPOINT: endpoint });
      expect(warnings).toHaveLength(1);
      expect(warnings[0]).toContain(`OTEL_EXPORTER_OTLP_ENDPOINT is ${JSON.stringify(endpoint)}`);
      expect(warnings[0]).toContain('nothing is sent');
      expect(warnings.join()).not.toContain('localhost:4318/');
      expect(running?.report()).toMatchObject({ deliveredSpans: 0, waitingSpans: 2 });
    },
  );

  test('in quotes is used without them, and said', async () => {
    await runWith({ OTEL_EXPORTER_OTLP_ENDPOINT: `"${receiver.endpoint}"` });
    expect(receiver.spans()).toHaveLength(2);
    expect(warnings).toEqual([expect.stringContaining('OTEL_EXPORTER_OTLP_ENDPOINT is in quotes')]);
  });

  test('without its scheme is told how to write it', async () => {
    await runWith({ OTEL_EXPORTER_OTLP_ENDPOINT: 'collector:4318' });
    expect(warnings[0]).toContain('for example http://collector:4318.');
  });

  test('that ends with the path of a signal gets it once', async () => {
    await runWith({ OTEL_EXPORTER_OTLP_ENDPOINT: `${receiver.endpoint}/v1/traces` });
    expect(receiver.requests).toMatchObject([{ path: '/v1/traces' }]);
    expect(warnings).toEqual([expect.stringContaining('/v1/traces is used')]);
  });

  test('of traces that has that path twice is used as it is, and said', async () => {
    await runWith({ OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: `${receiver.endpoint}/v1/traces/v1/traces` });
    expect(receiver.requests.map(({ path }) => path)).toEqual(['/v1/traces/v1/traces']);
    expect(warnings).toEqual([
      expect.stringContaining('which contains the path of a signal twice; it is used as it is'),
    ]);
    warnings.length = 0;
    await runWith({ OTEL_EXPORTER_OTLP_ENDPOINT: `${receiver.endpoint}/v1/traces/v1/traces` });
    expect(receiver.requests.at(-1)!.path).toBe('/v1/traces');
  });

  test('with a query keeps it after the path, and shows nothing of it', async () => {
    await runWith({ OTEL_EXPORTER_OTLP_ENDPOINT: `${receiver.endpoint}/base?key=s3cret-value` });
    expect(receiver.requests).toMatchObject([{ path: '/base/v1/traces?key=s3cret-value' }]);
    expect(warnings).toHaveLength(1);
    expect(warnings.join()).not.toContain('s3cret');
  });

  test('with the port of gRPC is used, and said', async () => {
    await runWith({ OTEL_EXPORTER_OTLP_ENDPOINT: 'http://127.0.0.1:4317' });
    expect(warnings[0]).toContain('4317 is the usual port of OTLP/gRPC');
  });

  test('is shown without user and password', async () => {
    await runWith({ OTEL_EXPORTER_OTLP_ENDPOINT: 'http://bob:hunter2@127.0.0.1:9' });
    expect(warnings).toHaveLength(1);
    expect(warnings[0]).toContain('http://127.0.0.1:9/v1/traces');
    expect(warnings[0]).not.toMatch(/bob|hunter2/);
  });
});

describe('metrics, where only the endpoint of traces is set', () => {
  test('go to its host when that takes them', async () => {
    await runWith({ OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: `${receiver.endpoint}/v1/traces` }, { metrics: true });
    expect(receiver.requests.map(({ path }) => path).toSorted()).toEqual(['/v1/metrics', '/v1/traces']);
    expect(warnings).toEqual([]);
  });

  test('go nowhere when it does not, said once', async () => {
    receiver.answerBy((response, path) => {
      if (path === '/v1/traces') accept(response);
      else response.writeHead(404).end();
    });
    await runWith({ OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: `${receiver.endpoint}/v1/traces` }, { metrics: true });
    expect(warnings).toEqual([expect.stringContaining('metrics are not sent')]);
  });
});

describe('an option of a program in plain JavaScript that cannot be used', () => {
  test.each([
    [{ captureContent: 'all' }, 'captureContent is "all"'],
    [{ errorMessages: 'some' }, 'errorMessages is "some"'],
    [{ journal: { sync: 'always' } }, 'journal.sync is "always"'],
    [{ journal: { maxBytes: -1 } }, 'journal.maxBytes is -1'],
    [{ redact: 'yes' }, 'redact is "yes"'],
    [{ classifyError: 'failed' }, 'classifyError is "failed"'],
    [{ maxOpenMs: 0 }, 'maxOpenMs is 0'],
    [{ maxOpenMs: '10 minutes' }, 'maxOpenMs is "10 minutes"'],
    [{ maxOpenMs: Number.NaN }, 'maxOpenMs is NaN'],
    [{ shutdownOnSignals: 'no' }, 'shutdownOnSignals is "no"'],
  ])('%j is named', async (options, named) => {
    const journal = { folder, ...('journal' in options ? options.journal : {}) };
    await runWith({}, { endpoint: receiver.endpoint, ...(options as TracingOptions), journal: journal as never });
    expect(warnings).toEqual([expect.stringContaining(`the option ${named}`)]);
    expect(receiver.spans()).toHaveLength(2);
  });
});

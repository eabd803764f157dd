import { randomInt } from 'node:crypto';
import { rm } from 'node:fs/promises';
import { DuckDBInstance } from '@duckdb/node-api';
import { openSpanStore, startLocalBackend } from '@convotel/local';
import { decodeOtlpJson } from '@convotel/query/engine';
import { JsonTraceSerializer } from '@opentelemetry/otlp-transformer';
import { resourceFromAttributes } from '@opentelemetry/resources';
import type { ReadableSpan } from '@opentelemetry/sdk-trace-base';
import { generateConversation } from './generate-spans.ts';

/** Conversations that are stored through the back end; the others are copies of these with ids and times of their own. */
const TEMPLATES = 20_000;
const CONVERSATIONS_PER_APPEND = 500;

/** A store of many spans. */
export interface LargeStore {
  path: string;
  /** When the first conversation starts, and when the last one starts at the latest; Unix milliseconds. */
  sinceMs: number;
  untilMs: number;
  /** How often the templates are repeated. */
  copies: number;
}

/**
 * Makes a store of `copies` times 20,000 conversations, about 134,000 spans: voice conversations that start evenly over the
 * time, three in four of them in sessions of eight, with models, retries, response latencies, two versions of the program,
 * and HTTP spans below half of the calls of models. Two in a hundred have a trace id that does not follow from their id.
 *
 * Rows are in the order in which spans arrive: by their end, up to two seconds late, one in a hundred up to ten minutes,
 * one in a thousand up to twelve hours.
 */
export async function makeLargeStore({ path, sinceMs, untilMs, copies }: LargeStore): Promise<void> {
  await rm(path, { force: true });
  const periodMs = (untilMs - sinceMs) / copies;
  await storeTemplates(path, sinceMs, periodMs);
  const instance = await DuckDBInstance.create(path, { preserve_insertion_order: 'true', memory_limit: '2GB' });
  const connection = await instance.connect();
  await connection.run(`
    CREATE TEMP TABLE template AS SELECT * FROM spans;
    CREATE TEMP TABLE waiting AS SELECT *, 0::BIGINT AS arrival_ns FROM spans LIMIT 0;
    DELETE FROM spans`);
  for (let copy = 0; copy < copies; copy++) {
    const endNs = BigInt(Math.round((sinceMs + (copy + 1) * periodMs) * 1e6));
    const shiftNs = BigInt(Math.round(copy * periodMs * 1e6));
    await connection.run(`INSERT INTO waiting ${copyOf(copy, shiftNs)}`);
    const arrived = copy === copies - 1 ? 'true' : `arrival_ns < ${endNs}`;
    await connection.run(`
      INSERT INTO spans SELECT * EXCLUDE (arrival_ns) FROM waiting WHERE ${arrived} ORDER BY arrival_ns;
      CREATE OR REPLACE TEMP TABLE waiting AS SELECT * FROM waiting WHERE NOT (${arrived})`);
  }
  connection.closeSync();
  instance.closeSync();
  // A rewrite brings up to date whatever the back end keeps beside the spans.
  const backend = await startLocalBackend({ storePath: path, port: 0, retention: { maxAgeDays: Infinity } });
  await backend.reclaim();
  await backend.stop();
}

/** The templates with other ids, `shiftNs` later. Ids of conversations and traces follow from each other as before. */
function copyOf(copy: number, shiftNs: bigint): string {
  const idOf = (id: string): string => `hash(${id}, ${copy})`;
  return `
    WITH ids AS (
      SELECT
        trace_id AS template_id,
        any_value(conversation_id) || '${copy}' AS new_conversation_id,
        sha256(if(bool_or(has_derived_id), 'convotel:', '') || new_conversation_id) AS digest,
        ('0x' || digest[1:16])::UBIGINT::UHUGEINT * 18446744073709551616 + ('0x' || digest[17:32])::UBIGINT AS new_trace_id
      FROM template
      GROUP BY trace_id
    )
    SELECT
      template.* REPLACE (
        new_trace_id AS trace_id,
        ${idOf('span_id')} AS span_id,
        CASE WHEN parent_span_id IS NOT NULL THEN ${idOf('parent_span_id')} END AS parent_span_id,
        start_ns + ${shiftNs} AS start_ns,
        CASE WHEN conversation_id IS NOT NULL THEN new_conversation_id END AS conversation_id,
        CASE WHEN session_id IS NOT NULL THEN session_id || '-${copy}' END AS session_id
      ),
      start_ns + ${shiftNs} + duration_ns + (random() * 2e9)::BIGINT
        + CASE WHEN random() < 0.001 THEN (random() * 43200e9)::BIGINT WHEN random() < 0.01 THEN (random() * 600e9)::BIGINT ELSE 0 END
    FROM template
    JOIN ids ON ids.template_id = template.trace_id`;
}

async function storeTemplates(path: string, sinceMs: number, periodMs: number): Promise<void> {
  const store = await openSpanStore(path);
  const gapMs = periodMs / TEMPLATES;
  for (let from = 0; from < TEMPLATES; from += CONVERSATIONS_PER_APPEND) {
    const spans = Array.from({ length: CONVERSATIONS_PER_APPEND }, (_, index) =>
      generateTemplate(from + index, sinceMs + (from + index) * gapMs),
    ).flat();
    await store.append(
      decodeOtlpJson(JSON.parse(Buffer.from(JsonTraceSerializer.serializeRequest(spans)!).toString())),
    );
  }
  await store.close();
}

/** A hundred sessions at a time, each of eight conversations. */
function sessionOf(index: number): string | undefined {
  return index % 4 === 3 ? undefined : `call-${Math.floor(index / 800) * 100 + (index % 100)}`;
}

const MODELS = ['gpt-5', 'gpt-5', 'gpt-5', 'gpt-5-mini'];

function generateTemplate(index: number, startMs: number): ReadableSpan[] {
  const session = sessionOf(index);
  const model = MODELS[randomInt(MODELS.length)]!;
  const resource = resourceFromAttributes({
    'service.name': 'voice-bot',
    'service.version': index % 3 === 0 ? '1.5' : '1.4',
  });
  const isForeign = index % 50 === 7;
  const traceId = isForeign ? `${'f'.repeat(8)}${String(index).padStart(24, '0')}` : undefined;
  const spans = generateConversation(startMs).flatMap((span): ReadableSpan[] => {
    const attributes = { ...span.attributes };
    if (session !== undefined) attributes['session.id'] = session;
    if (span.parentSpanContext === undefined) attributes['conversation.response_latency'] = 1 + randomInt(3000) / 1000;
    if (span.name === 'gpt') {
      attributes['gen_ai.request.model'] = model;
      attributes['conversation.step.time_to_first_output'] = 0.2 + randomInt(900) / 1000;
    }
    attributes['app.plan'] = ['free', 'pro', 'team'][index % 3]!;
    const changed = { ...span, attributes, resource };
    if (span.name !== 'gpt' || index % 2 === 0) return [changed];
    const { traceFlags, spanId, traceId: ofTrace } = span.spanContext();
    const inner = { traceFlags, traceId: ofTrace, spanId: `${spanId.slice(8)}${spanId.slice(0, 8)}` };
    const http: ReadableSpan = {
      ...changed,
      name: 'POST',
      spanContext: () => inner,
      parentSpanContext: span.spanContext(),
      attributes: { 'http.request.method': 'POST', 'server.address': 'api.example.com' },
      instrumentationScope: { name: 'undici', version: '1' },
    };
    return [changed, http];
  });
  if (index % 100 === 11) spans.push(...retriesOf(spans));
  if (traceId === undefined) return spans;
  return spans.map((span) => ({ ...span, spanContext: () => ({ ...span.spanContext(), traceId }) }));
}

/** A second attempt of the step `stt`, whose first one failed. */
function retriesOf(spans: readonly ReadableSpan[]): ReadableSpan[] {
  const first = spans.find(({ name }) => name === 'stt')!;
  const { spanId, ...context } = first.spanContext();
  const again = { ...context, spanId: `${spanId.slice(8)}${spanId.slice(0, 8)}` };
  const attributes = { ...first.attributes, 'conversation.step.attempt': 2 };
  first.attributes['conversation.outcome'] = 'failed';
  return [{ ...first, attributes, spanContext: () => again }];
}

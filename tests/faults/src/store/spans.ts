import { createHash, randomBytes } from 'node:crypto';
import { openDuckDbSource } from '@convotel/local';

const text = (key: string, stringValue: string): object => ({ key, value: { stringValue } });

/** What a step span is made of. */
export interface StepFields {
  conversationId: string;
  startMs: number;
  durationMs?: number;
  step?: string;
  /** How many steps enclose it. */
  depth?: number;
  /** Bytes of a text. */
  textBytes?: number;
  /** What the text is made of. @defaultValue `letters` */
  textOf?: keyof typeof TEXTS;
}

const TEXTS = {
  /** Random ones, which hardly compress: whether they are tried at all may differ from one rewrite to the next. */
  letters: (bytes: number) => randomBytes(Math.ceil((bytes * 3) / 4)).toString('base64'),
  /** Random ones, of which DuckDB always stores two in a byte. */
  digits: (bytes: number) => randomBytes(Math.ceil(bytes / 2)).toString('hex'),
};

/** A step span in OTLP/JSON, with the trace id that follows from the conversation. */
export function stepSpan({
  conversationId,
  startMs,
  durationMs = 5,
  step = 'gpt',
  depth = 0,
  textBytes = 0,
  textOf = 'letters',
}: StepFields): object {
  const nano = (ms: number): string => `${Math.round(ms)}000000`;
  return {
    traceId: createHash('sha256').update(`convotel:${conversationId}`).digest('hex').slice(0, 32),
    spanId: randomBytes(8).toString('hex'),
    name: step,
    kind: 1,
    startTimeUnixNano: nano(startMs),
    endTimeUnixNano: nano(startMs + durationMs),
    attributes: [
      text('conversation.id', conversationId),
      text('conversation.step.name', step),
      text('conversation.outcome', 'completed'),
      ...(depth === 0 ? [] : [{ key: 'conversation.step.depth', value: { intValue: String(depth) } }]),
      ...(textBytes === 0 ? [] : [text('conversation.pii.input_text', TEXTS[textOf](textBytes))]),
    ],
  };
}

export function traceRequest(spans: readonly object[]): string {
  const resource = { attributes: [text('service.name', 'faults')] };
  return JSON.stringify({ resourceSpans: [{ resource, scopeSpans: [{ scope: { name: 'faults' }, spans }] }] });
}

/** The ids of all conversations in a store that nobody holds. */
export async function conversationsIn(storePath: string): Promise<Set<string>> {
  const source = await openDuckDbSource(storePath);
  try {
    const { data } = await source.ask({ name: 'conversations', order: 'newest', limit: 1_000_000 });
    return new Set(data.map(({ conversationId }) => conversationId));
  } finally {
    await source.close();
  }
}

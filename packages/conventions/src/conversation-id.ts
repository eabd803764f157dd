/** Maximum length of a conversation id, in UTF-16 code units. */
export const MAX_CONVERSATION_ID_LENGTH = 128;

/** Whether `id` is a valid conversation id: 1 to 128 characters. */
export function isConversationId(id: unknown): id is string {
  return typeof id === 'string' && id.length >= 1 && id.length <= MAX_CONVERSATION_ID_LENGTH;
}

/** Trace id and root span id of a conversation, as lower-case hex of 32 and 16 digits. */
export interface ConversationIds {
  traceId: string;
  rootSpanId: string;
}

/**
 * Derives the ids of a conversation's trace, so that the trace can be found by the conversation id alone.
 *
 * SHA-256 of `"convotel:" + conversationId` (UTF-8): the first 16 bytes are the trace id, the next 8 the root span id.
 * All-zero ids, which OpenTelemetry forbids (trace API, SpanContext), become all ones.
 */
export function conversationIdsOf(conversationId: string): ConversationIds {
  const digest = crypto().hash('sha256', `convotel:${conversationId}`, 'hex');
  return { traceId: neverZero(digest.slice(0, 32)), rootSpanId: neverZero(digest.slice(32, 48)) };
}

/** The trace id of {@link conversationIdsOf}. */
export function traceIdOf(conversationId: string): string {
  return conversationIdsOf(conversationId).traceId;
}

/** The root span id of {@link conversationIdsOf}. */
export function rootSpanIdOf(conversationId: string): string {
  return conversationIdsOf(conversationId).rootSpanId;
}

/** Replaces an all-zero hex id, which OpenTelemetry forbids, by all ones. */
export function neverZero(hexId: string): string {
  return /^0+$/.test(hexId) ? 'f'.repeat(hexId.length) : hexId;
}

/**
 * Generates a conversation id `YYYYMMDD_HHMMSS_<16 hex>`: the current local time and 64 random bits, so that ids of any
 * number of processes differ. `clock` returns the current time.
 */
export function newConversationId(clock: () => Date = () => new Date()): string {
  const now = clock();
  const two = (value: number): string => String(value).padStart(2, '0');
  const date = `${String(now.getFullYear()).padStart(4, '0')}${two(now.getMonth() + 1)}${two(now.getDate())}`;
  const time = `${two(now.getHours())}${two(now.getMinutes())}${two(now.getSeconds())}`;
  return `${date}_${time}_${crypto().randomBytes(8).toString('hex')}`;
}

/** Loads `node:crypto` on demand, so that browsers can import this package for its names. */
function crypto(): typeof import('node:crypto') {
  return process.getBuiltinModule('node:crypto');
}

/** Longest conversation id, in UTF-16 code units. */
export const MAX_CONVERSATION_ID_LENGTH = 128;

/** Whether `id` can be a conversation id: 1 to 128 characters. */
export function isConversationId(id: unknown): id is string {
  return typeof id === 'string' && id.length >= 1 && id.length <= MAX_CONVERSATION_ID_LENGTH;
}

/** Trace id and root span id of a conversation, as lower-case hex of 32 and 16 digits. */
export interface ConversationIds {
  traceId: string;
  rootSpanId: string;
}

/**
 * Derives the ids of a conversation's trace, so that whoever knows the conversation id knows the trace.
 *
 * SHA-256 of `"convotel:" + conversationId` (UTF-8): the first 16 bytes are the trace id, the next 8 the root span id.
 * OpenTelemetry forbids all-zero ids (trace API, SpanContext); those become all ones.
 */
export function conversationIdsOf(conversationId: string): ConversationIds {
  const digest = crypto().createHash('sha256').update(`convotel:${conversationId}`).digest('hex');
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

/** Replaces an all-zero hex id, which OpenTelemetry calls invalid, by all ones. */
export function neverZero(hexId: string): string {
  return /^0+$/.test(hexId) ? 'f'.repeat(hexId.length) : hexId;
}

/**
 * Makes a conversation id `YYYYMMDD_HHMMSS_<16 hex>` in the process's local time: 64 random bits, so that ids made in the
 * same second differ however many processes make them. `clock` returns the present.
 */
export function newConversationId(clock: () => Date = () => new Date()): string {
  const now = clock();
  const two = (value: number): string => String(value).padStart(2, '0');
  const date = `${String(now.getFullYear()).padStart(4, '0')}${two(now.getMonth() + 1)}${two(now.getDate())}`;
  const time = `${two(now.getHours())}${two(now.getMinutes())}${two(now.getSeconds())}`;
  return `${date}_${time}_${crypto().randomBytes(8).toString('hex')}`;
}

/** Node's crypto, loaded when it is needed: an import would keep web pages from using the names in this package. */
function crypto(): typeof import('node:crypto') {
  return process.getBuiltinModule('node:crypto');
}

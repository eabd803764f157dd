import { countAt, countedOnce, listAt, setDetail, NOTHING, objectAt, OUTPUT, textAt, textMeaning } from './client.ts';
import type { Client, Meaning, ResultDetails } from './client.ts';

const PROVIDER = 'anthropic';

/** Messages of `@anthropic-ai/sdk`, and the events of streamed ones. */
export const anthropic: Client = {
  readChunk(event, details) {
    switch (textAt(event, 'type')) {
      case 'message_start': {
        const message = objectAt(event, 'message');
        if (message === undefined) return undefined;
        readMessage(message, details);
        return NOTHING;
      }
      case 'content_block_delta':
        return readDelta(objectAt(event, 'delta'), details);
      case 'message_delta':
        readUsage(objectAt(event, 'usage'), details);
        setDetail(details, 'finishReason', textAt(objectAt(event, 'delta'), 'stop_reason'));
        return NOTHING;
      case 'content_block_start':
      case 'content_block_stop':
      case 'message_stop':
      case 'ping':
        return details.provider === PROVIDER ? NOTHING : undefined;
      default:
        return undefined;
    }
  },

  readWhole(value, details) {
    const isMessage = textAt(value, 'type') === 'message' && textAt(value, 'role') === 'assistant';
    if (!isMessage || !Array.isArray((value as { content?: unknown }).content)) return undefined;
    return readMessage(value, details);
  },
};

function readMessage(message: object, details: ResultDetails): Meaning {
  setDetail(details, 'provider', PROVIDER);
  setDetail(details, 'model', textAt(message, 'model'));
  setDetail(details, 'finishReason', textAt(message, 'stop_reason'));
  readUsage(objectAt(message, 'usage'), details);
  const blocks = listAt(message, 'content');
  return textMeaning(blocks.map((block) => (textAt(block, 'type') === 'text' ? textAt(block, 'text') : '')).join(''));
}

/** Input tokens include those written to and read from the cache, as the GenAI conventions define them. */
function readUsage(source: object | undefined, details: ResultDetails): void {
  const usage = countedOnce(source);
  const fresh = countAt(usage, 'input_tokens');
  const written = countAt(usage, 'cache_creation_input_tokens') ?? 0;
  const cached = countAt(usage, 'cache_read_input_tokens') ?? 0;
  setDetail(details, 'inputTokens', fresh === undefined ? undefined : fresh + written + cached);
  setDetail(details, 'outputTokens', countAt(usage, 'output_tokens'));
}

/** Thinking and signatures do not count as output. */
function readDelta(delta: object | undefined, details: ResultDetails): Meaning | undefined {
  switch (textAt(delta, 'type')) {
    case undefined:
      return undefined;
    case 'text_delta':
      details.provider = PROVIDER;
      return textMeaning(textAt(delta, 'text'));
    case 'input_json_delta':
      details.provider = PROVIDER;
      return OUTPUT;
    default:
      return NOTHING;
  }
}

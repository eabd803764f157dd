import { read } from '../../guards/untrusted-values.ts';
import {
  ABORTED,
  countAt,
  countedOnce,
  listAt,
  setDetail,
  NOTHING,
  objectAt,
  OUTPUT,
  textAt,
  textMeaning,
} from './client.ts';
import type { Client, Meaning, ResultDetails } from './client.ts';

/** Part types that no other library uses, unlike `start`, `finish` or `error`. */
const DISTINCT_TYPE = /^(text|reasoning|tool-input)-(start|delta|end)$|^(start|finish)-step$/;

/** Results of `generateText` and `generateObject`, and the stream parts of `streamText` (`ai`, version 5 and later). */
export const vercelAi: Client = {
  readChunk(chunk, details, isKnown) {
    // The internal stream of a result wraps each part; `fullStream` contains the parts themselves.
    const part = objectAt(chunk, 'part');
    if (part !== undefined) return readPart(part, details);
    return isKnown || DISTINCT_TYPE.test(textAt(chunk, 'type') ?? '') ? readPart(chunk, details) : undefined;
  },

  readWhole(value, details) {
    if (!('finishReason' in value) || !('usage' in value) || !('response' in value)) return undefined;
    const text = textAt(value, 'text');
    readUsage(objectAt(value, 'totalUsage') ?? objectAt(value, 'usage'), details);
    readResponse(value, details);
    return text === undefined ? OUTPUT : textMeaning(text);
  },
};

function readPart(part: object, details: ResultDetails): Meaning | undefined {
  switch (textAt(part, 'type')) {
    case 'text-delta':
      return textMeaning(textAt(part, 'text') ?? textAt(part, 'textDelta'));
    case 'tool-input-delta':
    case 'tool-call':
    case 'file':
      return OUTPUT;
    case 'finish-step':
    case 'finish':
      readUsage(objectAt(part, 'totalUsage') ?? objectAt(part, 'usage'), details);
      readResponse(part, details);
      return NOTHING;
    case 'error':
      return 'error' in part ? { kind: 'failed', error: read(part, 'error') } : undefined;
    case 'abort':
      return ABORTED;
    case 'start':
    case 'start-step':
    case 'text-start':
    case 'text-end':
    case 'reasoning-start':
    case 'reasoning-delta':
    case 'reasoning-end':
    case 'tool-input-start':
    case 'tool-input-end':
    case 'tool-result':
    case 'tool-error':
    case 'source':
    case 'raw':
      return NOTHING;
    default:
      return undefined;
  }
}

function readUsage(source: object | undefined, details: ResultDetails): void {
  const usage = countedOnce(source);
  setDetail(details, 'inputTokens', countAt(usage, 'inputTokens'));
  setDetail(details, 'outputTokens', countAt(usage, 'outputTokens'));
}

/**
 * The provider is that of the step's model (`openai.responses` means `openai`), else the key of the provider metadata.
 */
function readResponse(source: object, details: ResultDetails): void {
  const model = objectAt(source, 'model') ?? objectAt(listAt(source, 'steps').at(-1), 'model');
  const metadata = objectAt(source, 'providerMetadata');
  setDetail(details, 'provider', textAt(model, 'provider')?.split('.')[0] ?? Object.keys(metadata ?? {})[0]);
  setDetail(details, 'model', textAt(objectAt(source, 'response'), 'modelId') ?? textAt(model, 'modelId'));
  setDetail(details, 'finishReason', textAt(source, 'finishReason'));
}

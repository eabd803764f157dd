import { countAt, countedOnce, listAt, setDetail, NOTHING, objectAt, OUTPUT, textAt, textMeaning } from './client.ts';
import type { Client, Meaning, ResultDetails } from './client.ts';

const PROVIDER = 'openai';

/**
 * Results of the `openai` client, also with other servers that implement its API: chat completions, responses,
 * legacy completions, transcriptions, embeddings, and their streams.
 */
export const openai: Client = {
  readChunk(chunk, details) {
    const text = details.provider === PROVIDER && details.model !== undefined ? onlyText(chunk) : undefined;
    if (text !== undefined) return { kind: 'text', text };
    switch (textAt(chunk, 'object')) {
      case 'chat.completion.chunk':
        return readChoices(chunk, details, meaningOfDelta);
      case 'text_completion':
        return readChoices(chunk, details, (choice) => textMeaning(textAt(choice, 'text')));
      default:
        return readEvent(chunk, details);
    }
  },

  readWhole(value, details) {
    switch (textAt(value, 'object')) {
      case 'chat.completion':
        return readChoices(value, details, (choice) => textMeaning(textAt(objectAt(choice, 'message'), 'content')));
      case 'text_completion':
        return readChoices(value, details, (choice) => textMeaning(textAt(choice, 'text')));
      case 'response':
        return readResponse(value, details);
      case 'list':
        return readEmbeddings(value, details);
      default:
        return readTranscription(value, details);
    }
  },
};

interface PlainChunk {
  object?: unknown;
  usage?: unknown;
  choices: readonly { index?: unknown; delta: { content?: unknown }; finish_reason?: unknown }[];
}

/** Fast path: the text of a chunk that contains nothing else, as most do; undefined otherwise. */
function onlyText(chunk: object): string | undefined {
  try {
    const { object, usage, choices } = chunk as PlainChunk;
    const { index, delta, finish_reason: finishReason } = choices[0]!;
    if (object !== 'chat.completion.chunk' || index !== 0) return undefined;
    if ((usage ?? undefined) !== undefined || (finishReason ?? undefined) !== undefined) return undefined;
    const { content } = delta;
    return typeof content === 'string' && content !== '' ? content : undefined;
  } catch {
    return undefined;
  }
}

type Choice = object | undefined;

/** Several choices are alternatives, not parts of one text, so only the first counts. */
function firstChoice(choices: readonly Choice[]): Choice {
  for (const choice of choices) {
    if ((countAt(choice, 'index') ?? 0) === 0) return choice;
  }
  return undefined;
}

function readChoices(source: object, details: ResultDetails, meaningOf: (choice: Choice) => Meaning): Meaning {
  const choice = firstChoice(listAt(source, 'choices') as readonly Choice[]);
  const usage = countedOnce(objectAt(source, 'usage'));
  details.provider = PROVIDER;
  if (details.model === undefined) setDetail(details, 'model', textAt(source, 'model'));
  if (usage !== undefined) {
    setDetail(details, 'inputTokens', countAt(usage, 'prompt_tokens'));
    setDetail(details, 'outputTokens', countAt(usage, 'completion_tokens'));
  }
  setDetail(details, 'finishReason', textAt(choice, 'finish_reason'));
  return choice === undefined ? NOTHING : meaningOf(choice);
}

function meaningOfDelta(choice: Choice): Meaning {
  const delta = objectAt(choice, 'delta');
  const text = textAt(delta, 'content') ?? textAt(delta, 'refusal');
  if (text !== undefined && text !== '') return textMeaning(text);
  const hasOtherOutput = listAt(delta, 'tool_calls').length > 0 || objectAt(delta, 'audio') !== undefined;
  return hasOtherOutput ? OUTPUT : NOTHING;
}

/** Events of streamed responses, transcriptions and speech, with types `response.…`, `transcript.…`, `speech.…`. */
function readEvent(event: object, details: ResultDetails): Meaning | undefined {
  const type = textAt(event, 'type');
  switch (type) {
    case undefined:
      return undefined;
    case 'response.output_text.delta':
    case 'response.refusal.delta':
    case 'transcript.text.delta':
      details.provider = PROVIDER;
      return textMeaning(textAt(event, 'delta'));
    case 'response.function_call_arguments.delta':
    case 'response.custom_tool_call_input.delta':
    case 'response.audio.delta':
    case 'response.image_generation_call.partial_image':
    case 'speech.audio.delta':
      details.provider = PROVIDER;
      return OUTPUT;
    case 'response.completed':
    case 'response.incomplete':
    case 'response.failed': {
      const meaning = readResponse(objectAt(event, 'response') ?? {}, details);
      return meaning.kind === 'failed' ? meaning : NOTHING;
    }
    case 'transcript.text.done':
    case 'speech.audio.done':
      readTokens(objectAt(event, 'usage'), details);
      return NOTHING;
    case 'error':
      return details.provider === PROVIDER ? { kind: 'failed', error: event } : undefined;
    default:
      if (!type.startsWith('response.') || countAt(event, 'sequence_number') === undefined) return undefined;
      setDetail(details, 'provider', PROVIDER);
      setDetail(details, 'model', textAt(objectAt(event, 'response'), 'model'));
      return NOTHING;
  }
}

function readTokens(source: object | undefined, details: ResultDetails): void {
  const usage = countedOnce(source);
  setDetail(details, 'provider', PROVIDER);
  setDetail(details, 'inputTokens', countAt(usage, 'input_tokens'));
  setDetail(details, 'outputTokens', countAt(usage, 'output_tokens'));
}

function readResponse(response: object, details: ResultDetails): Meaning {
  readTokens(objectAt(response, 'usage'), details);
  const status = textAt(response, 'status');
  const reason = textAt(objectAt(response, 'incomplete_details'), 'reason');
  setDetail(details, 'model', textAt(response, 'model'));
  setDetail(details, 'finishReason', reason ?? status);
  if (status === 'failed') return { kind: 'failed', error: objectAt(response, 'error') ?? response };
  const parts = listAt(response, 'output').flatMap((item) => listAt(item, 'content'));
  return textMeaning(
    parts.map((part) => (textAt(part, 'type') === 'output_text' ? textAt(part, 'text') : '')).join(''),
  );
}

function readEmbeddings(list: object, details: ResultDetails): Meaning | undefined {
  const usage = countedOnce(objectAt(list, 'usage'));
  if (textAt(listAt(list, 'data')[0], 'object') !== 'embedding') return undefined;
  setDetail(details, 'provider', PROVIDER);
  setDetail(details, 'model', textAt(list, 'model'));
  setDetail(details, 'inputTokens', countAt(usage, 'prompt_tokens'));
  return OUTPUT;
}

/** A transcription has few distinctive fields, but the client adds `_request_id` to what it returns. */
function readTranscription(value: object, details: ResultDetails): Meaning | undefined {
  const text = textAt(value, 'text');
  if (text === undefined) return undefined;
  const usage = objectAt(value, 'usage');
  const usageType = textAt(usage, 'type');
  const isTranscription =
    usageType === 'tokens' || usageType === 'duration' || Object.hasOwn(value, '_request_id') || isVerbose(value);
  if (!isTranscription) return undefined;
  readTokens(usage, details);
  // Models that are billed by the duration of the audio report it as usage, and `verbose_json` next to the text.
  const audioSeconds = countAt(usage, 'seconds') ?? (isVerbose(value) ? countAt(value, 'duration') : undefined);
  setDetail(details, 'audioSeconds', audioSeconds);
  return textMeaning(text);
}

/** `response_format: 'verbose_json'`. */
function isVerbose(value: object): boolean {
  return textAt(value, 'language') !== undefined && countAt(value, 'duration') !== undefined;
}

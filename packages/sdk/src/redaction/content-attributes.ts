/**
 * Attributes in which other libraries store the messages of users and models. A trailing dot matches every key with
 * that prefix.
 */
const CONTENT_KEYS = [
  // OpenTelemetry GenAI semantic conventions, current and earlier versions
  'gen_ai.input.messages',
  'gen_ai.output.messages',
  'gen_ai.system_instructions',
  'gen_ai.tool.definitions',
  'gen_ai.tool.call.arguments',
  'gen_ai.tool.call.result',
  'gen_ai.tool.message',
  'gen_ai.retrieval.query.text',
  'gen_ai.retrieval.documents',
  'gen_ai.evaluation.explanation',
  'gen_ai.prompt',
  'gen_ai.prompt.',
  'gen_ai.completion',
  'gen_ai.completion.',
  'gen_ai.content.',
  'gen_ai.event.content',
  'gen_ai.request.messages',
  'gen_ai.response.text',
  'gen_ai.response.choices',
  // OpenLLMetry
  'llm.prompts.',
  'llm.completions.',
  'llm.prompts',
  'llm.completions',
  'traceloop.entity.input',
  'traceloop.entity.output',
  'traceloop.prompt.',
  // Vercel AI SDK
  'ai.prompt',
  'ai.prompt.',
  'ai.response.text',
  'ai.response.object',
  'ai.response.toolcalls',
  'ai.response.reasoning',
  'ai.result.',
  'ai.input.',
  'ai.output.',
  'ai.value',
  'ai.values',
  'ai.embedding',
  'ai.embeddings',
  'ai.documents',
  'ai.toolcall.args',
  'ai.toolcall.input',
  'ai.toolcall.result',
  'ai.toolcall.output',
  'ai.stream.chunk',
  // OpenInference
  'input.value',
  'output.value',
  'llm.input_messages',
  'llm.input_messages.',
  'llm.output_messages',
  'llm.output_messages.',
  'llm.prompt_template.',
  'llm.prompt',
  'llm.choices.',
  'llm.completion',
  'llm.function_call',
  'llm.tools.',
  'retrieval.documents',
  'retrieval.documents.',
  'reranker.input_documents.',
  'reranker.output_documents.',
  'reranker.query',
  'embedding.text',
  'embedding.embeddings.',
  'message.content',
  'message.contents.',
  'document.content',
  'tool.parameters',
  'tool_call.function.arguments',
  // Frameworks: LangSmith, Langfuse, Logfire, Pipecat, LiveKit, Mastra
  'langsmith.span.inputs',
  'langsmith.span.outputs',
  'langfuse.observation.input',
  'langfuse.observation.output',
  'langfuse.trace.input',
  'langfuse.trace.output',
  'request_data',
  'response_data',
  'all_messages_events',
  'final_result',
  'tool_arguments',
  'tool_response',
  'transcript',
  'transcription',
  'output.text',
  'input.text',
  'text.input',
  'text.output',
  'text',
  'messages',
  'prompt',
  'completion',
  'lk.user_transcript',
  'lk.chat_ctx',
  'lk.response.text',
  'lk.input_text',
  'lk.function_tool.arguments',
  'lk.function_tool.output',
];

const EXACT = new Set(CONTENT_KEYS.filter((key) => !key.endsWith('.')));
const PREFIXES = CONTENT_KEYS.filter((key) => key.endsWith('.'));
/** Content keys that count only on events, because the names are too general. */
const EVENT_KEYS = new Set(['content', 'message', 'body', 'input', 'output', 'arguments', 'tool_calls', 'messages']);
/** Counts and lengths, which do not reveal content. */
const COUNTS = /(?:tokens?|count|length|chars)$/i;

/** Whether other libraries store the messages of users and models under this key. */
export function holdsContent(key: string, isOnEvent: boolean): boolean {
  const lower = key.toLowerCase();
  if (EXACT.has(lower) || (isOnEvent && EVENT_KEYS.has(lower))) return true;
  return PREFIXES.some((prefix) => lower.startsWith(prefix)) && !COUNTS.test(lower);
}

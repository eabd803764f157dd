/**
 * What a step does, derived from its name. Findings are worded by kind, never by name, so that they also fit pipelines
 * with other step names.
 */
export type StepKind = 'capture' | 'speech_to_text' | 'language_model' | 'text_to_speech' | 'playback' | 'other';

/** `gen_ai.operation.name` of a step of each kind, where the GenAI conventions have one that fits. */
export const OPERATION_BY_STEP_KIND: Readonly<Partial<Record<StepKind, string>>> = {
  speech_to_text: 'speech_to_text',
  language_model: 'chat',
  text_to_speech: 'text_to_speech',
};

const KIND_BY_STEP_NAME: Readonly<Record<string, StepKind>> = {
  request: 'capture',
  capture: 'capture',
  listen: 'capture',
  record: 'capture',
  stt: 'speech_to_text',
  asr: 'speech_to_text',
  transcribe: 'speech_to_text',
  gpt: 'language_model',
  llm: 'language_model',
  chat: 'language_model',
  generate: 'language_model',
  tts: 'text_to_speech',
  synthesize: 'text_to_speech',
  speak: 'text_to_speech',
  response: 'playback',
  play: 'playback',
  playback: 'playback',
};

/** The kind of the step named `stepName`; `other` for an unknown name. */
export function stepKindOf(stepName: string): StepKind {
  return Object.hasOwn(KIND_BY_STEP_NAME, stepName) ? (KIND_BY_STEP_NAME[stepName] as StepKind) : 'other';
}

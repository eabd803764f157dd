/**
 * What a step does, as far as its name tells. Sentences about a step are chosen by its kind, never by its name,
 * so that a pipeline with other step names reads as well.
 */
export type StepKind = 'capture' | 'speech_to_text' | 'language_model' | 'text_to_speech' | 'playback' | 'other';

/** Phrases for one kind of step. An absent phrase is left out of the sentence. */
export interface StepPhrases {
  /** `gen_ai.operation.name` of such a step, where the GenAI conventions have one that fits. */
  operation?: string;
  /** What the step is doing, as a progress line shows it. */
  doing: string;
  /** After "very consistent". */
  whenConsistent?: string;
  /** After "wide range", "most variable" and "fairly consistent": what its duration depends on. */
  whenVariable?: string;
  /** How to speed it up when it dominates slow conversations. */
  speedUp?: string;
  /** What the user noticed when the conversation never got to it. */
  whenMissing?: string;
  /** Before "when … fails": what the user should get instead. */
  fallback?: string;
  /** Completed steps longer than this are a warning sign, in milliseconds. */
  warningMs?: number;
}

/** The table of phrases per kind of step. */
export const STEP_PHRASES: Readonly<Record<StepKind, StepPhrases>> = {
  capture: { doing: 'Capturing audio', whenConsistent: 'good' },
  speech_to_text: {
    operation: 'speech_to_text',
    doing: 'Converting speech to text',
    whenVariable: 'depends on audio quality/length',
    speedUp: 'shorten the audio or use a faster speech model',
    fallback: 'Ask the user to repeat',
    warningMs: 3000,
  },
  language_model: {
    operation: 'chat',
    doing: 'Generating AI response',
    whenVariable: 'API latency varies',
    speedUp: 'optimize prompts or use faster model',
    fallback: 'Add fallback responses for',
    warningMs: 8000,
  },
  text_to_speech: {
    operation: 'text_to_speech',
    doing: 'Synthesizing speech',
    whenVariable: 'depends on text length',
    speedUp: 'shorten answers or stream the speech',
    fallback: 'Show the answer as text',
    warningMs: 3000,
  },
  playback: {
    doing: 'Playing audio',
    whenConsistent: 'audio playback stable',
    whenMissing: 'User heard nothing back (bad UX)',
    warningMs: 1000,
  },
  other: { doing: 'Working' },
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

/** The kind of step that `stepName` stands for; `other` when the name says nothing to us. */
export function stepKindOf(stepName: string): StepKind {
  return Object.hasOwn(KIND_BY_STEP_NAME, stepName) ? (KIND_BY_STEP_NAME[stepName] as StepKind) : 'other';
}

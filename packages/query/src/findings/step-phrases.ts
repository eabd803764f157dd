import { stepKindOf } from '@convotel/conventions';
import type { StepKind } from '@convotel/conventions';

/** What sentences say about one kind of step. An absent phrase is left out of the sentence. */
export interface StepPhrases {
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
}

const STEP_PHRASES: Readonly<Record<StepKind, StepPhrases>> = {
  capture: { whenConsistent: 'good' },
  speech_to_text: {
    whenVariable: 'depends on audio quality/length',
    speedUp: 'shorten the audio or use a faster speech model',
    fallback: 'Ask the user to repeat',
  },
  language_model: {
    whenVariable: 'API latency varies',
    speedUp: 'optimize prompts or use faster model',
    fallback: 'Add fallback responses for',
  },
  text_to_speech: {
    whenVariable: 'depends on text length',
    speedUp: 'shorten answers or stream the speech',
    fallback: 'Show the answer as text',
  },
  playback: {
    whenConsistent: 'audio playback stable',
    whenMissing: 'User heard nothing back (bad UX)',
  },
  other: {},
};

/** The phrases about `step`, by the kind of step that its name stands for. */
export function phrasesOf(step: string): StepPhrases {
  return STEP_PHRASES[stepKindOf(step)];
}

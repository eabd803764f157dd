import { setTimeout as wait } from 'node:timers/promises';
import { newConversationId, stepKindOf } from '@convotel/conventions';
import type { StepKind } from '@convotel/conventions';
import { conversation } from '@convotel/tracing';

/** The texts of one live conversation, and how long each step takes at real speed. */
interface Script {
  heard: string;
  answer: string;
  milliseconds: Readonly<Record<StepName, number>>;
  /** The message of the error that the language model throws. */
  modelError?: string;
}

type StepName = (typeof STEP_NAMES)[number];

const STEP_NAMES = ['request', 'stt', 'gpt', 'tts', 'response'] as const;

/** What a step is doing, for the line that is printed when it starts. */
const PROGRESS_WORDS: Readonly<Record<StepKind, string>> = {
  capture: 'Capturing audio',
  speech_to_text: 'Converting speech to text',
  language_model: 'Generating AI response',
  text_to_speech: 'Synthesizing speech',
  playback: 'Playing audio',
  other: 'Working',
};

/** Workflow of the live conversations, different from that of the history, so that their numbers are separate. */
const LIVE_WORKFLOW = 'live-demo';

const SCRIPTS: readonly Script[] = [
  {
    heard: 'What is the weather like today?',
    answer: 'Sunny, with a light wind from the sea.',
    milliseconds: { request: 150, stt: 1234, gpt: 3567, tts: 1456, response: 457 },
  },
  {
    heard: 'Set a timer for ten minutes',
    answer: 'Ten minutes, starting now.',
    milliseconds: { request: 140, stt: 1100, gpt: 3100, tts: 1300, response: 440 },
  },
  {
    heard: 'Why is the sky blue?',
    answer: 'Air scatters blue light more than red.',
    milliseconds: { request: 160, stt: 1300, gpt: 3900, tts: 1500, response: 470 },
  },
  {
    heard: 'Tell me a story about a robot',
    answer: '',
    milliseconds: { request: 150, stt: 1200, gpt: 500, tts: 0, response: 0 },
    modelError: 'API rate limit exceeded',
  },
];

/** The ids of the conversations. */
export interface LiveConversations {
  completed: string[];
  failed: string;
}

/** Runs four conversations, traced as in a real program. The language model of the last one fails. */
export async function runLiveConversations(
  speed: number,
  printLine: (line: string) => void,
): Promise<LiveConversations> {
  const completed: string[] = [];
  let failed = '';
  for (const script of SCRIPTS) {
    const conversationId = newConversationId();
    const isToFail = script.modelError !== undefined;
    printLine(`\nSimulating ${isToFail ? 'failed conversation' : 'conversation'}: ${conversationId}`);
    try {
      await converse(conversationId, script, speed, printLine);
      completed.push(conversationId);
      printLine(`✓ Conversation complete: ${conversationId}`);
    } catch (error) {
      if (!(error instanceof RateLimitError)) throw error;
      failed = conversationId;
      printLine(`✗ Conversation failed: ${error.message}`);
    }
  }
  return { completed, failed };
}

class RateLimitError extends Error {
  override readonly name = 'RateLimitError';
}

async function converse(
  conversationId: string,
  script: Script,
  speed: number,
  printLine: (line: string) => void,
): Promise<void> {
  const work = async (step: StepName): Promise<void> => {
    const remark = step === 'gpt' && script.modelError !== undefined ? ' (will fail)' : '';
    const place = `[${STEP_NAMES.indexOf(step) + 1}/${STEP_NAMES.length}]`;
    printLine(`  ${place} ${step.toUpperCase()} - ${PROGRESS_WORDS[stepKindOf(step)]}${remark}...`);
    await wait(script.milliseconds[step] / speed);
  };

  await conversation({ conversationId, workflow: LIVE_WORKFLOW }, async (c) => {
    await c.step('request', () => work('request'));
    const heard = await c.step('stt', { input: '<audio_data>' }, async () => {
      await work('stt');
      return script.heard;
    });
    const answer = await c.step('gpt', { input: heard }, async () => {
      await work('gpt');
      if (script.modelError !== undefined) throw new RateLimitError(script.modelError);
      return script.answer;
    });
    await c.step('tts', { input: answer }, () => work('tts'));
    await c.step('response', () => work('response'));
  });
}

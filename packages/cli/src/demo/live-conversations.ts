import { setTimeout as wait } from 'node:timers/promises';
import { newConversationId, stepKindOf } from '@convotel/conventions';
import type { StepKind } from '@convotel/conventions';
import { conversation } from '@convotel/tracing';

/** What one live conversation says, and how long each step takes at real speed. */
interface Script {
  heard: string;
  answer: string;
  milliseconds: Readonly<Record<StepName, number>>;
  /** The message of the error that the language model throws. */
  modelError?: string;
}

type StepName = (typeof STEP_NAMES)[number];

const STEP_NAMES = ['request', 'stt', 'gpt', 'tts', 'response'] as const;

/** What a step is doing, as the line about its start shows it. */
const PROGRESS_WORDS: Readonly<Record<StepKind, string>> = {
  capture: 'Capturing audio',
  speech_to_text: 'Converting speech to text',
  language_model: 'Generating AI response',
  text_to_speech: 'Synthesizing speech',
  playback: 'Playing audio',
  other: 'Working',
};

/** Workflow of the live conversations; the made-up history has another one, so that their numbers stay apart. */
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

/** The conversations that ran, by id. */
export interface LiveConversations {
  completed: string[];
  failed: string;
}

/** Runs four conversations, wrapped in steps as a program would; the last one fails at its language model. */
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

// A program of a user's that is compiled, never run: it says what types the packages have for those who install them.
import { newConversationId } from '@convotel/conventions';
import { startLocalBackend } from '@convotel/local';
import type { Coverage } from '@convotel/query';
import { startTracing } from '@convotel/sdk';
import type { Tracing } from '@convotel/sdk';
import { conversation, step, wrapStep } from '@convotel/tracing';
import type { Conversation, Step } from '@convotel/tracing';
import { main } from 'convotel';

const tracing: Tracing = startTracing({ serviceName: 'typed' });

/** What goes in comes out, of the same type. */
export async function talk(): Promise<number> {
  return conversation({ conversationId: newConversationId() }, async (c: Conversation) => {
    const heard: string = c.step('stt', () => 'heard');
    const reply: Promise<number> = c.step('gpt', { input: heard, model: 'gpt-5' }, async (s: Step) => {
      s.usage({ inputTokens: 3 });
      return 5;
    });
    const spoken: boolean = step('tts', () => true);
    return spoken ? await reply : 0;
  });
}

const count: (text: string, times?: number) => number = wrapStep(
  'count',
  (text: string, times = 1) => text.length * times,
);
export const counted: number = count('text', 2);

export const coverage = (each: Coverage): Coverage => each;
export const backend = (): Promise<{ url: string }> => startLocalBackend({ storePath: 'store.duckdb' });
export const status = (words: string[], terminal: Parameters<typeof main>[1]): Promise<number> => main(words, terminal);
export const end = (): Promise<unknown> => tracing.shutdown();

// @ts-expect-error A step has a name.
step(() => true);

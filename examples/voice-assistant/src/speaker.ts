import { fork } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { on, once } from 'node:events';
import type { Carrier } from '@convotel/tracing';

/** What is said to the speaker's process. */
export type ToSpeaker = { say: string; carrier: Carrier } | { stop: string } | { end: true };

/** What the speaker's process says. */
export type FromSpeaker = { started: true } | { wasInterrupted: boolean } | { deliveredSpans: number };

/** The process that speaks, from the side of the assistant. A real one would be behind a queue or a socket. */
export class Speaker {
  readonly #process: ChildProcess = fork(new URL('speaker-process.js', import.meta.url));
  /** Keeps what arrives until it is asked for. */
  readonly #messages = on(this.#process, 'message');
  /** Called when playback begins: this is when a user may interrupt. */
  whenStarted: () => void = () => {};

  /** Speaks `text`; resolves with whether the user interrupted it. `carrier` says which conversation it belongs to. */
  async speak(text: string, carrier: Carrier): Promise<boolean> {
    this.#send({ say: text, carrier });
    for (;;) {
      const message = await this.#next();
      if ('wasInterrupted' in message) return message.wasInterrupted;
      this.whenStarted();
    }
  }

  /** The user speaks over the answer. */
  interrupt(): void {
    this.#send({ stop: 'barge_in' });
  }

  /** Ends the process; resolves with how many spans it delivered. */
  async end(): Promise<number> {
    const exited = once(this.#process, 'exit');
    this.#send({ end: true });
    const message = await this.#next();
    await exited;
    return 'deliveredSpans' in message ? message.deliveredSpans : 0;
  }

  #send(message: ToSpeaker): void {
    this.#process.send(message);
  }

  async #next(): Promise<FromSpeaker> {
    const { value } = (await this.#messages.next()) as { value: [FromSpeaker] };
    return value[0];
  }
}

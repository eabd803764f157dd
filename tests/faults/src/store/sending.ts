import { randomUUID } from 'node:crypto';
import { send } from './serve-process.ts';
import { stepSpan, traceRequest } from './spans.ts';

const SENDERS = 3;
const SPANS_PER_REQUEST = 20;
/** After a refusal, a sender waits a moment. */
const PAUSE_MS = 5;

interface Answered {
  /** In which phase the request was sent. */
  phase: number;
  status: number;
  /** The conversations of its spans, one each. */
  ids: readonly string[];
  text: string;
}

/** Programs that send spans without a pause, while something happens to the store; each request belongs to a phase. */
export class Sending {
  readonly #url: string;
  readonly #textBytes: number;
  /** In the order of the answers. */
  readonly #answers: Answered[] = [];
  /** How many answers there were when each phase began. */
  readonly #phaseStarts = [0];
  readonly #senders: readonly Promise<void>[];
  #isOver = false;

  /** @param textBytes - size of a text in each span */
  constructor(url: string, { textBytes = 0 }: { textBytes?: number } = {}) {
    this.#url = url;
    this.#textBytes = textBytes;
    this.#senders = Array.from({ length: SENDERS }, () => this.#send());
  }

  get requests(): number {
    return this.#answers.length;
  }

  /** The conversations whose spans were answered 200; of the requests sent in one phase, or of all. */
  acknowledged(phase?: number): string[] {
    return this.#in(phase).flatMap(({ status, ids }) => (status === 200 ? ids : []));
  }

  /** What was answered with 503; to requests sent in one phase, or to all. */
  refusals(phase?: number): string[] {
    return this.#in(phase).flatMap(({ status, text }) => (status === 503 ? [text] : []));
  }

  /** Answers other than 200 and 503. */
  get wrongAnswers(): number {
    return this.#answers.filter(({ status }) => status !== 200 && status !== 503).length;
  }

  /** Whether any request was refused since the phase began, before one that was sent in it was answered 200. */
  isRefusedFirst(phase: number): boolean {
    const since = this.#answers.slice(this.#phaseStarts[phase]);
    const accepted = since.findIndex((answer) => answer.phase === phase && answer.status === 200);
    return since.slice(0, accepted === -1 ? since.length : accepted).some(({ status }) => status === 503);
  }

  nextPhase(): void {
    this.#phaseStarts.push(this.#answers.length);
  }

  async stop(): Promise<void> {
    this.#isOver = true;
    await Promise.all(this.#senders);
  }

  #in(phase: number | undefined): readonly Answered[] {
    return phase === undefined ? this.#answers : this.#answers.filter((answer) => answer.phase === phase);
  }

  async #send(): Promise<void> {
    while (!this.#isOver) {
      const phase = this.#phaseStarts.length - 1;
      const ids = Array.from({ length: SPANS_PER_REQUEST }, () => randomUUID());
      const spans = ids.map((conversationId) =>
        stepSpan({ conversationId, startMs: Date.now(), textBytes: this.#textBytes }),
      );
      const { status, text } = await send(`${this.#url}/v1/traces`, { body: traceRequest(spans) });
      this.#answers.push({ phase, status, ids, text });
      if (status !== 200) await new Promise((resolve) => setTimeout(resolve, PAUSE_MS));
    }
  }
}

import { processRegistry } from '@convotel/conventions';
import { reportInternalError, warnOnce } from '../guards/warnings.ts';

const DEFAULT_MAX_OPEN_MS = 600_000;

/** Longest delay that `setTimeout` supports; a longer one fires immediately. */
const MAX_TIMER_MS = 2 ** 31 - 1;

// Captured at load: with a test's fake timers, limits would never be reached, or all at once.
const { setTimeout } = globalThis;
const loadedNow = performance.now;
const monotonicMs = loadedNow.bind(performance);

/**
 * An open step or conversation with a limit on how long it may stay open. It is a node of a linked list,
 * {@link LimitQueue}.
 */
export interface OpenItem {
  /** Whether the item ends after its children: a conversation, whose outcome follows from its steps. */
  readonly endsWithOthers: boolean;
  /** Ends the item because it was open for as long as its limit allows. */
  limitReached(): void;
  /** Ends the item because the process stops tracing. */
  abandon(reason: string): void;

  /** Written by {@link OpenWork} only: the queue, the neighbours in it, and when the item was added. */
  openQueue: LimitQueue | undefined;
  openBefore: OpenItem | undefined;
  openAfter: OpenItem | undefined;
  openSinceMs: number;
}

/**
 * The open steps and conversations of this process, so that those that hang are ended and exported. Items with the same
 * limit share a queue in order of start: one timer per limit, however many items there are, and a few assignments to
 * add or remove one.
 */
export class OpenWork {
  readonly #queues = new Map<number, LimitQueue>();

  /** Adds `item`, which may stay open for `limitMs`; `nowMs` is the current reading of `performance.now()`. */
  add(item: OpenItem, limitMs: number, nowMs: number): void {
    let queue = this.#queues.get(limitMs);
    if (queue === undefined) {
      queue = new LimitQueue(limitMs, () => this.#queues.delete(limitMs));
      this.#queues.set(limitMs, queue);
    }
    item.openSinceMs = performance.now === loadedNow ? nowMs : monotonicMs();
    queue.add(item);
  }

  remove(item: OpenItem): void {
    item.openQueue?.remove(item);
  }

  items(): OpenItem[] {
    return [...this.#queues.values()].flatMap((queue) => queue.items());
  }

  /**
   * Ends everything that is open: steps before conversations, and the newest first, so that inner steps end before
   * outer ones.
   */
  abandonAll(reason: string): void {
    const items = this.items();
    items.sort((first, second) => second.openSinceMs - first.openSinceMs);
    for (const isSecondPass of [false, true]) {
      for (const item of items) {
        if (item.endsWithOthers === isSecondPass) attempt(() => item.abandon(reason));
      }
    }
  }
}

class LimitQueue {
  readonly #limitMs: number;
  readonly #whenIdle: () => void;
  #first: OpenItem | undefined;
  #last: OpenItem | undefined;
  #hasTimer = false;

  constructor(limitMs: number, whenIdle: () => void) {
    this.#limitMs = limitMs;
    this.#whenIdle = whenIdle;
  }

  add(item: OpenItem): void {
    item.openQueue = this;
    item.openBefore = this.#last;
    if (this.#last === undefined) this.#first = item;
    else this.#last.openAfter = item;
    this.#last = item;
    if (!this.#hasTimer) this.#startTimer(this.#limitMs);
  }

  remove(item: OpenItem): void {
    const { openBefore, openAfter } = item;
    if (openBefore === undefined) this.#first = openAfter;
    else openBefore.openAfter = openAfter;
    if (openAfter === undefined) this.#last = openBefore;
    else openAfter.openBefore = openBefore;
    item.openQueue = undefined;
    item.openBefore = undefined;
    item.openAfter = undefined;
  }

  items(): OpenItem[] {
    const items: OpenItem[] = [];
    for (let item = this.#first; item !== undefined; item = item.openAfter) items.push(item);
    return items;
  }

  /**
   * The timer is not cleared when the queue becomes empty, so that short steps do not create and clear a timer each.
   */
  #startTimer(delayMs: number): void {
    this.#hasTimer = true;
    const timer: NodeJS.Timeout | number = setTimeout(() => this.#timerFired(), Math.min(delayMs, MAX_TIMER_MS));
    (timer as Partial<NodeJS.Timeout>).unref?.();
  }

  #timerFired(): void {
    this.#hasTimer = false;
    const nowMs = monotonicMs();
    while (this.#first !== undefined && this.#first.openSinceMs + this.#limitMs <= nowMs) {
      const due = this.#first;
      this.remove(due);
      attempt(() => due.limitReached());
    }
    if (this.#hasTimer) return;
    if (this.#first === undefined) this.#whenIdle();
    else this.#startTimer(Math.ceil(this.#first.openSinceMs + this.#limitMs - nowMs));
  }
}

function attempt(end: () => void): void {
  try {
    end();
  } catch (error) {
    reportInternalError('ending a step or conversation that was open for too long', error);
  }
}

let shared: OpenWork | undefined;

/** The open steps and conversations of this process, shared by all copies of this package. */
export function openWork(): OpenWork {
  return (shared ??= sharedOpenWork());
}

function sharedOpenWork(): OpenWork {
  const registry = processRegistry();
  if (registry.openWork === undefined) {
    const open = new OpenWork();
    registry.openWork = open;
    registry.abandonOpen = (reason) => {
      open.abandonAll(`still open when tracing stopped${reason === undefined ? '' : `: ${reason}`}`);
    };
  }
  return registry.openWork as OpenWork;
}

/**
 * The option `name` in whole milliseconds, or Infinity; undefined if it is not set or, with one warning, not a number
 * above 0.
 */
export function limitMsFrom(value: unknown, name: string): number | undefined {
  if (value === undefined) return undefined;
  if (typeof value === 'number' && value > 0) return Math.ceil(value);
  warnOnce(`limit ${name}`, `${name} must be a number of milliseconds above 0; the value that was passed is ignored`);
  return undefined;
}

/**
 * How long a step or conversation may stay open: the option of the conversation, else of the process, else ten minutes.
 */
export function maxOpenMsOf(own: number | undefined): number {
  return own ?? limitMsFrom(processRegistry().settings.maxOpenMs, 'maxOpenMs') ?? DEFAULT_MAX_OPEN_MS;
}

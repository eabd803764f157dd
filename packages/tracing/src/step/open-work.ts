import { processRegistry } from '@convotel/conventions';
import { reportTrouble, warnOnce } from '../guards/warnings.ts';

const DEFAULT_MAX_OPEN_MS = 600_000;

/** Longest delay of a timer; a longer one would fire at once. */
const MAX_TIMER_MS = 2 ** 31 - 1;

// Taken at load: under a test's fake timers limits would never be reached, or all at once.
const { setTimeout } = globalThis;
const loadedNow = performance.now;
const monotonicMs = loadedNow.bind(performance);

/** A step or a conversation that is open and may be open for a limited time only. It is its own place in a queue. */
export interface OpenItem {
  /** Whether the item is over when other items are: a conversation, which then ends as its steps did. */
  readonly endsWithOthers: boolean;
  /** Ends the item because its time is up. */
  limitReached(): void;
  /** Ends the item because the process stops tracing. */
  abandon(reason: string): void;

  /** Kept by {@link OpenWork}: the queue, the neighbours in it, and when the item was added. */
  openQueue: LimitQueue | undefined;
  openBefore: OpenItem | undefined;
  openAfter: OpenItem | undefined;
  openSinceMs: number;
}

/**
 * Everything that is open in this process, so that nothing that hangs is lost. Items with the same limit stand in one
 * queue, whose first item is the first to reach it: one timer a limit, however many items there are, and a few
 * assignments to add or remove one.
 */
export class OpenWork {
  readonly #queues = new Map<number, LimitQueue>();

  /** Adds `item`, which may be open for `limitMs`; `nowMs` is what `performance.now()` says. */
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

  /** Ends all that is open: the newest steps first, so that inner ones end before those around them. */
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

  /** Left running when the queue empties, so that a step costs no timer; it then finds nothing to do. */
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
    reportTrouble('ending what was open for too long', error);
  }
}

let shared: OpenWork | undefined;

/** What is open in this process, shared by all copies of this package. */
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

/** The whole number of milliseconds that the option `name` says, or Infinity; undefined, with one warning, for one that is not above 0. */
export function limitMsFrom(given: unknown, name: string): number | undefined {
  if (given === undefined) return undefined;
  if (typeof given === 'number' && given > 0) return Math.ceil(given);
  warnOnce(`limit ${name}`, `${name} must be a number of milliseconds above 0; what was given is ignored`);
  return undefined;
}

/** How long something may be open: what the conversation says, else the process, else ten minutes. */
export function maxOpenMsOf(own: number | undefined): number {
  return own ?? limitMsFrom(processRegistry().settings.maxOpenMs, 'maxOpenMs') ?? DEFAULT_MAX_OPEN_MS;
}

/** Stops following a signal that nobody holds any more. */
const forgotten = new FinalizationRegistry<readonly (() => void)[]>((leave) => {
  for (const each of leave) each();
});

/** Keeps a controller for as long as somebody holds its signal. */
const controllers = new WeakMap<AbortSignal, AbortController>();

/**
 * The signal of one step: aborted when the step's time is up, or when one of the signals around it is, also after the
 * step's end, because the body of a response may still be on its way. Made only when it is asked for.
 */
export class StepSignal {
  readonly #controller = new AbortController();

  constructor(around: readonly (AbortSignal | undefined)[]) {
    const { signal } = this.#controller;
    controllers.set(signal, this.#controller);
    const leave: (() => void)[] = [];
    for (const each of around) {
      if (each?.aborted === true) this.#controller.abort(each.reason);
      else if (each !== undefined) leave.push(follow(each, this.#controller));
    }
    if (leave.length > 0) forgotten.register(this.#controller, leave);
  }

  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  abort(reason: unknown): void {
    this.#controller.abort(reason);
  }
}

/**
 * Who follows a signal. One listener serves them all: Node warns of a leak at the eleventh, and a signal that lives as
 * long as the program would collect one a step (`AbortSignal.any` does so on Node 20).
 */
const followersOf = new WeakMap<AbortSignal, Set<WeakRef<AbortController>>>();

/** Aborts `controller` when `signal` is aborted. Returns what stops that. */
function follow(signal: AbortSignal, controller: AbortController): () => void {
  const followers = followersOf.get(signal) ?? listenTo(signal);
  const follower = new WeakRef(controller);
  followers.add(follower);
  return () => followers.delete(follower);
}

function listenTo(signal: AbortSignal): Set<WeakRef<AbortController>> {
  const followers = new Set<WeakRef<AbortController>>();
  followersOf.set(signal, followers);
  const abort = (): void => {
    for (const follower of followers) follower.deref()?.abort(signal.reason);
    followers.clear();
  };
  signal.addEventListener('abort', abort, { once: true });
  return followers;
}

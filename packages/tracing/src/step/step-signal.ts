/** Stops following other signals once a step's signal has been garbage-collected. */
const collected = new FinalizationRegistry<readonly (() => void)[]>((unfollows) => {
  for (const unfollow of unfollows) unfollow();
});

/** Keeps a controller alive as long as its signal is referenced. */
const controllers = new WeakMap<AbortSignal, AbortController>();

/**
 * The signal of one step: aborted when the step times out or when one of `sources` is aborted. It follows them even
 * after the step's end, because the body of a response may still be arriving. Created only when it is first read.
 */
export class StepSignal {
  readonly #controller = new AbortController();

  constructor(sources: readonly (AbortSignal | undefined)[]) {
    const { signal } = this.#controller;
    controllers.set(signal, this.#controller);
    const unfollows: (() => void)[] = [];
    for (const source of sources) {
      if (source?.aborted === true) this.#controller.abort(source.reason);
      else if (source !== undefined) unfollows.push(follow(source, this.#controller));
    }
    if (unfollows.length > 0) collected.register(this.#controller, unfollows);
  }

  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  abort(reason: unknown): void {
    this.#controller.abort(reason);
  }
}

/**
 * The controllers that follow each signal. They share one listener: Node warns of a leak at the eleventh, and a signal
 * that lives as long as the program would collect one per step (as `AbortSignal.any` does on Node 20).
 */
const followersOf = new WeakMap<AbortSignal, Set<WeakRef<AbortController>>>();

/** Aborts `controller` when `signal` is aborted. Returns a function that stops following. */
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

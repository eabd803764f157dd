/** Takes the listeners of a signal away that nobody holds any more. */
const forgotten = new FinalizationRegistry<readonly (() => void)[]>((leave) => {
  for (const each of leave) each();
});

/** Keeps a controller for as long as somebody holds its signal. */
const controllers = new WeakMap<AbortSignal, AbortController>();

/**
 * The signal of one step: aborted when the step's time is up, or when one of the signals around it is, also after the
 * step's end, because the body of a response may still be on its way. Made only for a step that has a limit or whose
 * function asks for it. (`AbortSignal.any` leaks on Node 20 when a signal around lives as long as the program.)
 */
export class StepSignal {
  readonly #controller = new AbortController();
  readonly #leave: (() => void)[] = [];
  #isHandedOut = false;

  constructor(around: readonly (AbortSignal | undefined)[]) {
    controllers.set(this.#controller.signal, this.#controller);
    for (const signal of around) {
      if (signal !== undefined) this.#follow(signal);
    }
    if (this.#leave.length > 0) forgotten.register(this.#controller, this.#leave);
  }

  /** What the program gets. */
  get signal(): AbortSignal {
    this.#isHandedOut = true;
    return this.#controller.signal;
  }

  #follow(around: AbortSignal): void {
    if (around.aborted) {
      this.#controller.abort(around.reason);
      return;
    }
    const reference = new WeakRef(this.#controller);
    const abort = (): void => reference.deref()?.abort(around.reason);
    around.addEventListener('abort', abort, { once: true });
    this.#leave.push(() => around.removeEventListener('abort', abort));
  }

  abort(reason: unknown): void {
    this.#controller.abort(reason);
  }

  /** The step is over: a signal that nobody asked for follows nothing any more. */
  release(): void {
    if (this.#isHandedOut) return;
    for (const leave of this.#leave) leave();
  }
}

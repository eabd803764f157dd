import type { SpanEnding } from '../guards/spans.ts';
import type { HostedStep, StepTimes } from '../step/step-host.ts';

/** Maximum number of input ends of each kind that are remembered. */
const MAX_REMEMBERED = 64;

/**
 * How long the user waited: from the end of the user's input to the first output that the user perceived.
 * All times are milliseconds since the epoch. See docs/conventions.md, "Response latency".
 */
export class ResponseLatency {
  /** Start of the conversation, or the end of input that another process passed on; undefined if neither is known. */
  readonly #beganMs: number | undefined;
  /** Times that the program passed to `inputEnded()`. */
  readonly #inputEnds: number[] = [];
  readonly #captureEnds: number[] = [];
  /** Whether a step had the option `responds: true`; if so, names of steps are not considered. */
  hasResponder = false;
  #hasResponse = false;
  #lastStreamed: { startedMs: number; firstOutputMs: number } | undefined;

  constructor(beganMs: number | undefined) {
    this.#beganMs = beganMs;
  }

  inputEnded(endedMs: number): void {
    remember(this.#inputEnds, endedMs);
  }

  /**
   * The end of the input before an output at `outputMs`: from `inputEnded()`, else of the last capture step, else the
   * start.
   */
  inputEndBefore(outputMs: number): number | undefined {
    return latestUpTo(this.#inputEnds, outputMs) ?? latestUpTo(this.#captureEnds, outputMs) ?? this.#beganMs;
  }

  /** Seconds that the user waited for the output of the step, if it is one that responds and had an output. */
  ofStep(
    { kind }: HostedStep,
    responds: boolean | undefined,
    times: StepTimes,
    ending: SpanEnding,
  ): number | undefined {
    if (!(responds ?? (!this.hasResponder && (kind === 'text_to_speech' || kind === 'playback')))) return undefined;
    const outputMs = times.firstOutputMs ?? (kind === 'playback' ? times.startedMs : undefined);
    // A step that ended without output before it was complete is not a response.
    if (outputMs === undefined && ending.outcome !== 'completed') return undefined;
    const seconds = this.#secondsUpTo(outputMs ?? times.endedMs);
    if (seconds !== undefined) this.#hasResponse = true;
    return seconds;
  }

  /** Adds a step that ended. */
  stepEnded({ kind, depth, isStreamed }: HostedStep, outermostDepth: number, times: StepTimes): void {
    if (kind === 'capture') remember(this.#captureEnds, times.endedMs);
    const { startedMs, firstOutputMs } = times;
    if (!isStreamed || firstOutputMs === undefined || depth !== outermostDepth) return;
    if (this.#lastStreamed === undefined || startedMs >= this.#lastStreamed.startedMs) {
      this.#lastStreamed = { startedMs, firstOutputMs };
    }
  }

  /** If no step responded: seconds until the first output of the streamed step that started last. */
  ofConversation(): number | undefined {
    if (this.#hasResponse || this.#lastStreamed === undefined) return undefined;
    return this.#secondsUpTo(this.#lastStreamed.firstOutputMs);
  }

  /** Undefined if it would be negative, because the clocks of two machines differ. */
  #secondsUpTo(outputMs: number): number | undefined {
    const endedMs = this.inputEndBefore(outputMs);
    return endedMs === undefined || endedMs > outputMs ? undefined : (outputMs - endedMs) / 1000;
  }
}

function remember(times: number[], timeMs: number): void {
  times.push(timeMs);
  if (times.length > MAX_REMEMBERED) times.shift();
}

function latestUpTo(times: readonly number[], limitMs: number): number | undefined {
  let latest: number | undefined;
  for (const time of times) {
    if (time <= limitMs && (latest === undefined || time > latest)) latest = time;
  }
  return latest;
}

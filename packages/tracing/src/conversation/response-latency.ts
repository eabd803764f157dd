import type { SpanEnding } from '../guards/spans.ts';
import type { HostedStep, StepTimes } from '../step/step-host.ts';

/** Ends of input that are remembered at most, of each kind. */
const MAX_REMEMBERED = 64;

/**
 * How long the user waited: from the end of the user's input to the first output that the user perceived.
 * All times are milliseconds since the epoch. See docs/conventions.md, "Response latency".
 */
export class ResponseLatency {
  /** When the conversation began, or what another process found out; undefined when nobody knows. */
  readonly #beganMs: number | undefined;
  /** As the program said. */
  readonly #inputEnds: number[] = [];
  /** Ends of capture steps. */
  readonly #captureEnds: number[] = [];
  /** Whether a step of this conversation said that the user perceives it; then names of steps say nothing. */
  hasResponder = false;
  #hasAnswer = false;
  #lastStreamed: { startedMs: number; firstOutputMs: number } | undefined;

  constructor(beganMs: number | undefined) {
    this.#beganMs = beganMs;
  }

  /** The program says that the user finished at `endedMs`. */
  inputEnded(endedMs: number): void {
    remember(this.#inputEnds, endedMs);
  }

  /** The end of the input, for an output at `outputMs`: as the program said, else the last capture, else the beginning. */
  inputEndBefore(outputMs: number): number | undefined {
    return latestUpTo(this.#inputEnds, outputMs) ?? latestUpTo(this.#captureEnds, outputMs) ?? this.#beganMs;
  }

  /** Seconds that the user waited for `step`, where it is one that answers and had something to be perceived. */
  ofStep(
    { kind }: HostedStep,
    responds: boolean | undefined,
    times: StepTimes,
    ending: SpanEnding,
  ): number | undefined {
    if (!(responds ?? (!this.hasResponder && (kind === 'text_to_speech' || kind === 'playback')))) return undefined;
    const outputMs = times.firstOutputMs ?? (kind === 'playback' ? times.startedMs : undefined);
    // A step that gave nothing before it broke off answered nobody.
    if (outputMs === undefined && ending.outcome !== 'completed') return undefined;
    const seconds = this.#secondsUpTo(outputMs ?? times.endedMs);
    if (seconds !== undefined) this.#hasAnswer = true;
    return seconds;
  }

  /** Takes a step that is over. */
  stepEnded({ kind, depth, isStreamed }: HostedStep, outermostDepth: number, times: StepTimes): void {
    if (kind === 'capture') remember(this.#captureEnds, times.endedMs);
    const { startedMs, firstOutputMs } = times;
    if (!isStreamed || firstOutputMs === undefined || depth !== outermostDepth) return;
    if (this.#lastStreamed === undefined || startedMs >= this.#lastStreamed.startedMs) {
      this.#lastStreamed = { startedMs, firstOutputMs };
    }
  }

  /** Seconds that the user waited, where no step answered: up to the first output of the streamed step that started last. */
  ofConversation(): number | undefined {
    if (this.#hasAnswer || this.#lastStreamed === undefined) return undefined;
    return this.#secondsUpTo(this.#lastStreamed.firstOutputMs);
  }

  /** Undefined where it would be negative: the clocks of two machines differ. */
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

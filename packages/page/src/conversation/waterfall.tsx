import { stepKindOf } from '@convotel/conventions';
import { axisWords, durationWords, isFailed, outcomeWords } from '../words.ts';
import type { ShownDetail, ShownStep } from '../asking/rows.ts';
import type { AnswerOf } from '../asking/answers.ts';
import { axisTicks } from '../drawing/distribution.tsx';
import { stepLook } from '../drawing/marks.tsx';

type Path = AnswerOf<'explain'>['data']['path'];

/** Narrower gaps cannot be seen; a fraction of the width. */
const MIN_GAP_SHARE = 0.004;
/** Wider gaps have room for text; a fraction of the width. */
const WORDS_SHARE = 0.05;

/**
 * The steps on a common time axis, one row each. Pale: waiting for the first output. Solid: after it. Hatched over the
 * whole height: no step is running. Each row is a button that shows the step in the panel.
 */
export function Waterfall(props: {
  detail: ShownDetail;
  /** The critical path: what the conversation waited for, from start to end. */
  path: Path;
  chosenSpanId: string | undefined;
  onChoose: (step: ShownStep) => void;
}) {
  const { detail, path, chosenSpanId, onChoose } = props;
  const { steps } = detail;
  if (steps.length === 0) return <p class="soft">No step has arrived yet.</p>;
  const endMs = steps.reduce((latest, { offsetMs, durationMs }) => Math.max(latest, offsetMs + durationMs), 0) || 1;
  const ticks = axisTicks(endMs);
  const scaleMs = Math.max(endMs, ticks.at(-1) ?? 0);
  const at = (ms: number): string => `${(ms / scaleMs) * 100}%`;
  const mark = responseMark(detail);
  const gaps = path.filter(({ spanId, durationMs }) => spanId === undefined && durationMs > scaleMs * MIN_GAP_SHARE);
  return (
    <section class="waterfall" aria-label="Steps over time">
      <div class="waterfall-axis" aria-hidden="true">
        {ticks.map((ms) => (
          <span key={ms} style={{ left: at(ms) }}>
            {axisWords(ms)}
          </span>
        ))}
      </div>
      <div class="waterfall-mark duration">
        <span style={{ left: at(0), width: at(endMs) }}>
          <b>
            {detail.outcome === 'open' ? 'so far' : 'duration'} {durationWords(detail.durationMs)}
          </b>
        </span>
      </div>
      {mark === undefined ? null : (
        <div class="waterfall-mark response">
          <span style={{ left: at(mark.fromMs), width: at(mark.untilMs - mark.fromMs) }}>
            <b>response latency {durationWords(detail.responseMs ?? 0)}</b>
          </span>
        </div>
      )}
      <div class="waterfall-rows">
        <div class="waterfall-back" aria-hidden="true">
          {ticks.map((ms) => (
            <i key={ms} class="tick" style={{ left: at(ms) }} />
          ))}
          {mark === undefined ? null : (
            <>
              <i class="mark" style={{ left: at(mark.fromMs) }} />
              <i class="mark" style={{ left: at(mark.untilMs) }} />
            </>
          )}
          <i class="end" style={{ left: at(endMs) }} />
          {gaps.map(({ offsetMs, durationMs }) => (
            <i key={offsetMs} class="gap" style={{ left: at(offsetMs), width: at(durationMs) }}>
              {durationMs > scaleMs * WORDS_SHARE ? <small>{durationWords(durationMs)}</small> : null}
            </i>
          ))}
        </div>
        <ol>
          {steps.map((step) => (
            <li key={step.spanId}>
              <StepLine
                step={step}
                waitedFor={path.filter(({ spanId }) => spanId === step.spanId)}
                at={at}
                isChosen={step.spanId === chosenSpanId}
                onChoose={() => onChoose(step)}
              />
            </li>
          ))}
        </ol>
      </div>
      <WaterfallKey detail={detail} hasGaps={gaps.length > 0} />
    </section>
  );
}

function StepLine(props: {
  step: ShownStep;
  /** The parts of the critical path in this step. */
  waitedFor: Path;
  at: (ms: number) => string;
  isChosen: boolean;
  onChoose: () => void;
}) {
  const { step, waitedFor, at, isChosen, onChoose } = props;
  const { offsetMs, durationMs, timeToFirstOutputMs, outcome, attempt, depth } = step;
  const waitingMs = Math.min(timeToFirstOutputMs ?? 0, durationMs);
  const isBad = isFailed(outcome);
  return (
    <button type="button" class="step-line" aria-pressed={isChosen} onClick={onChoose}>
      <span class="step-name" style={{ paddingInlineStart: `${Math.min(depth, 6) * 14}px` }}>
        {step.step}
        {attempt === undefined ? null : <small title={`Attempt ${attempt}`}> #{attempt}</small>}
      </span>
      <span class="step-track">
        <span
          class={`step-span ${stepLook(step.step)} ${isBad ? 'bad' : ''} outcome-${outcome}`}
          style={{ left: at(offsetMs), width: at(durationMs) }}
        >
          {waitingMs > 0 && durationMs > 0 ? (
            <i class="waiting-part" style={{ width: `${(waitingMs / durationMs) * 100}%` }} />
          ) : null}
        </span>
        {waitedFor.map((part) => (
          <i key={part.offsetMs} class="waited-for" style={{ left: at(part.offsetMs), width: at(part.durationMs) }} />
        ))}
      </span>
      <span class="step-length">
        {durationWords(durationMs)}
        {outcome === 'completed' ? null : (
          <small class={isBad ? 'bad-words' : ''}>
            {isBad ? '✕' : '‖'} {outcomeWords(outcome)}
          </small>
        )}
      </span>
    </button>
  );
}

/** The legend, with only the entries that occur. */
function WaterfallKey({ detail, hasGaps }: { detail: ShownDetail; hasGaps: boolean }) {
  const entries: [look: string, words: string][] = [['key-path', 'what the conversation waited for']];
  if (detail.steps.some(({ timeToFirstOutputMs }) => timeToFirstOutputMs !== undefined)) {
    entries.push(['key-waiting', 'waiting for the first output'], ['key-working', 'from the first output on']);
  }
  if (detail.steps.some(({ outcome }) => isFailed(outcome))) entries.push(['key-bad', 'failed']);
  if (detail.steps.some(({ outcome }) => outcome === 'interrupted')) entries.push(['key-interrupted', 'interrupted']);
  if (hasGaps) entries.push(['key-gap', `in no step, ${durationWords(detail.unattributedMs)} in all`]);
  return (
    <ul class="legend">
      {entries.map(([look, words]) => (
        <li key={look}>
          <i class={`swatch ${look}`} />
          {words}
        </li>
      ))}
    </ul>
  );
}

/**
 * The position of the response latency on the axis. It ends at the first output of a step that answers the user, else
 * at the start of playback or the end of text-to-speech. Undefined without such a step or a latency.
 */
function responseMark({ responseMs, steps }: ShownDetail): { fromMs: number; untilMs: number } | undefined {
  if (responseMs === undefined) return undefined;
  const outputsMs = steps.flatMap(({ step, offsetMs, durationMs, timeToFirstOutputMs }) => {
    const kind = stepKindOf(step);
    if (kind === 'playback') return [offsetMs + (timeToFirstOutputMs ?? 0)];
    return kind === 'text_to_speech' ? [offsetMs + (timeToFirstOutputMs ?? durationMs)] : [];
  });
  if (outputsMs.length === 0) return undefined;
  const untilMs = Math.min(...outputsMs);
  return untilMs < responseMs ? undefined : { fromMs: untilMs - responseMs, untilMs };
}

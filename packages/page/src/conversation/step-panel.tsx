import type { ComponentChildren } from 'preact';
import type { ExplainedStep } from '@convotel/query/answers';
import { ask } from '../asking/ask.ts';
import type { ShownDetail, ShownStep } from '../asking/rows.ts';
import { useAnswer } from '../asking/use-answer.ts';
import { OutcomeBadge } from '../drawing/marks.tsx';
import { Place } from '../drawing/distribution.tsx';
import { Answered } from '../frame/view.tsx';
import { countText, countWords, durationWords, percentWords, timeWords } from '../words.ts';

const WEEK_NANO = 7n * 86_400_000_000_000n;
const NANO_PER_MS = 1_000_000n;

/** All details of one step. Texts of spans are never rendered as markup. */
export function StepPanel(props: {
  step: ShownStep;
  /** Absent for a nested step. */
  explained: ExplainedStep | undefined;
  detail: ShownDetail;
  zone: string;
}) {
  const { step, explained, detail, zone } = props;
  const { errorType, errorMessage, input, output } = step;
  return (
    <aside class="panel" aria-label={`Step ${step.step}`}>
      <h2 class="panel-title">
        <span>{step.step}</span> <OutcomeBadge outcome={step.outcome} />
      </h2>
      <dl class="facts">
        {factsOf(step, explained, zone).map(([name, value], index) => (
          <div key={index}>
            <dt>{name}</dt>
            <dd>{value}</dd>
          </div>
        ))}
      </dl>
      {errorType === undefined && errorMessage === undefined ? null : (
        <section>
          <h3>Error</h3>
          <div class="error-text">
            {errorType === undefined ? null : <code>{errorType}</code>}
            {errorMessage === undefined ? null : <p>{errorMessage}</p>}
          </div>
        </section>
      )}
      <section>
        <h3>Among the 7 days before</h3>
        {explained?.percentile === undefined ? null : (
          <p>
            Longer than <strong>{explained.percentile} %</strong> of {countWords(explained.calls ?? 0, 'call')}; usual
            is {durationWords(explained.usualMs ?? 0)}.
          </p>
        )}
        <Spread step={step} detail={detail} zone={zone} />
      </section>
      {step.attributes === undefined ? null : (
        <section>
          <h3>Attributes</h3>
          <dl class="facts">
            {Object.entries(step.attributes).map(([name, value]) => (
              <div key={name}>
                <dt>{name}</dt>
                <dd>{typeof value === 'string' ? value : JSON.stringify(value)}</dd>
              </div>
            ))}
          </dl>
        </section>
      )}
      <section>
        <h3>Texts</h3>
        {input === undefined && output === undefined ? (
          <p class="soft">
            Not captured. The option <code>captureContent</code> of <code>startTracing</code> keeps them.
          </p>
        ) : (
          <>
            {input === undefined ? null : <SpanText name="Input" text={input} />}
            {output === undefined ? null : <SpanText name="Output" text={output} />}
          </>
        )}
      </section>
    </aside>
  );
}

function factsOf(
  step: ShownStep,
  explained: ExplainedStep | undefined,
  zone: string,
): [name: string, value: ComponentChildren][] {
  const facts: [string, ComponentChildren][] = [
    ['Started', `+${durationWords(step.offsetMs)}`],
    ['At', timeWords(Date.parse(step.startTime), zone)],
    ['Duration', durationWords(step.durationMs)],
  ];
  if (explained !== undefined) {
    facts.push(['Waited for it', `${durationWords(explained.onPathMs)}, ${percentWords(explained.sharePct)}`]);
  }
  if (step.timeToFirstOutputMs !== undefined) facts.push(['First output', durationWords(step.timeToFirstOutputMs)]);
  if (step.attempt !== undefined) facts.push(['Attempt', String(step.attempt)]);
  for (const [name, count] of [
    ['Input', step.inputChars],
    ['Output', step.outputChars],
  ] as const) {
    if (count !== undefined) facts.push([name, `${countText(count)} characters`]);
  }
  if (step.audioSeconds !== undefined) facts.push(['Audio', durationWords(step.audioSeconds * 1000)]);
  if (step.model !== undefined) facts.push(['Model', [step.provider, step.model].filter(Boolean).join(' · ')]);
  for (const [name, count] of [
    ['Input', step.inputTokens],
    ['Output', step.outputTokens],
  ] as const) {
    if (count !== undefined) facts.push([name, `${countText(count)} tokens`]);
  }
  if (step.service !== undefined) facts.push(['Service', step.service]);
  for (const [part, ms] of Object.entries(step.timings ?? {})) facts.push([part, durationWords(ms)]);
  facts.push(['Span', <code key="span">{step.spanId}</code>]);
  return facts;
}

function Spread({ step, detail, zone }: { step: ShownStep; detail: ShownDetail; zone: string }) {
  const untilUnixNano = BigInt(Math.ceil(detail.startUnixMs + detail.durationMs)) * NANO_PER_MS + 1n;
  const since = untilUnixNano - WEEK_NANO;
  const window = { sinceUnixNano: since < 0n ? 0n : since, untilUnixNano };
  const known = useAnswer(`spread ${step.step} ${untilUnixNano}`, () =>
    ask('percentiles', { step: step.step, window, timeZone: zone }),
  );
  return <Answered known={known}>{({ data }) => <Place percentiles={data} markMs={step.durationMs} />}</Answered>;
}

function SpanText({ name, text }: { name: string; text: string }) {
  return (
    <div class="span-text">
      <h4>{name}</h4>
      <pre tabIndex={0}>{text}</pre>
    </div>
  );
}

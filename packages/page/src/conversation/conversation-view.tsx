import { useState } from 'preact/hooks';
import type { ExplainedStep } from '@convotel/query/answers';
import { formatAddress, replaceAddress } from '../address.ts';
import type { Address } from '../address.ts';
import { ask } from '../asking/ask.ts';
import { isWaitedFor, shownDetail } from '../asking/rows.ts';
import type { ShownDetail, ShownStep } from '../asking/rows.ts';
import { useAnswer } from '../asking/use-answer.ts';
import { Findings, OutcomeBadge } from '../drawing/marks.tsx';
import { Answered } from '../frame/view.tsx';
import type { ViewProps } from '../frame/view.tsx';
import { durationWords, isFailed, timeWords } from '../words.ts';
import { Neighbours, sessionLink, CopyAs } from './around.tsx';
import { StepPanel } from './step-panel.tsx';
import { Waterfall } from './waterfall.tsx';

/** Refresh interval of a conversation that has not ended. */
const OPEN_EVERY_MS = 2000;

/** One conversation: its steps on a time axis, why it took so long, and one step in detail. */
export function ConversationView(props: ViewProps & { conversationId: string }) {
  const { address, zone, about, conversationId } = props;
  const [isOpen, setIsOpen] = useState(false);
  const targetMs = about?.settings?.targetMs;
  const known = useAnswer(
    `conversation ${conversationId} ${zone} ${targetMs}`,
    async () => {
      const asked = { conversationId, timeZone: zone, targetMs };
      const [timeline, explained, trace] = await Promise.all([
        ask('timeline', asked),
        ask('explain', asked),
        ask('trace', asked),
      ]);
      setIsOpen(timeline.data.outcome === 'open');
      return { timeline, explained, trace, coverage: explained.coverage };
    },
    isOpen ? OPEN_EVERY_MS : undefined,
  );
  const back = formatAddress({ ...address, conversationId: undefined, step: undefined });
  return (
    <article class="conversation">
      <a class="back" href={back}>
        <span aria-hidden="true">←</span> Conversations
      </a>
      {known.value === undefined ? <h1 class="id">{conversationId}</h1> : null}
      <Answered known={known}>
        {({ timeline, explained, trace }) => {
          const detail = shownDetail(timeline.data);
          const chosen = chosenStep(detail, explained.data.steps, address.step);
          const choose = (step: ShownStep): void => replaceAddress({ ...address, step: step.spanId });
          return (
            <>
              <Head detail={detail} zone={zone} address={address} />
              <div class="two-columns">
                <div class="wide-column">
                  <Waterfall
                    detail={detail}
                    path={explained.data.path}
                    chosenSpanId={chosen?.spanId}
                    onChoose={choose}
                  />
                  <section aria-labelledby="why">
                    <h2 id="why">
                      {detail.outcome === 'open'
                        ? 'What is known so far'
                        : `Why it took ${durationWords(detail.durationMs)}`}
                    </h2>
                    <Findings findings={[...explained.findings, ...trace.findings]} />
                  </section>
                  <Neighbours conversation={detail} zone={zone} address={address} />
                  <CopyAs detail={detail} report={trace} about={about} />
                </div>
                {chosen === undefined ? null : (
                  <StepPanel
                    step={chosen}
                    explained={explained.data.steps.find(({ spanId }) => spanId === chosen.spanId)}
                    detail={detail}
                    zone={zone}
                  />
                )}
              </div>
            </>
          );
        }}
      </Answered>
    </article>
  );
}

function Head({ detail, zone, address }: { detail: ShownDetail; zone: string; address: Address }) {
  const { durationMs, stepSumMs, responseMs, unattributedMs, workflow, sessionId } = detail;
  const figures: [words: string, name: string][] = [
    ...(responseMs === undefined ? [] : [[durationWords(responseMs), 'response latency'] as [string, string]]),
    [durationWords(durationMs), 'duration'],
    [durationWords(stepSumMs), 'sum of steps'],
    [durationWords(unattributedMs), 'in no step'],
    [String(detail.stepCount), detail.stepCount === 1 ? 'step' : 'steps'],
  ];
  return (
    <header class="conversation-head">
      <h1>
        <span class="id">{detail.id}</span> <OutcomeBadge outcome={detail.outcome} />
      </h1>
      <p class="soft">
        {timeWords(detail.startUnixMs, zone)}
        {workflow === undefined ? '' : ` · workflow ${workflow}`}
        {sessionId === undefined ? null : (
          <>
            {' · '}
            <a href={sessionLink(address, sessionId)}>session {sessionId}</a>
          </>
        )}
      </p>
      <dl class="figures">
        {figures.map(([words, name]) => (
          <div key={name}>
            <dt>{name}</dt>
            <dd>{words}</dd>
          </div>
        ))}
      </dl>
    </header>
  );
}

/** The step in the address, else the one that failed, else the one with the longest wait, else the first. */
function chosenStep(
  { outcome, steps }: ShownDetail,
  explained: readonly ExplainedStep[],
  spanId: string | undefined,
): ShownStep | undefined {
  const find = (id: string | undefined): ShownStep | undefined => steps.find((step) => step.spanId === id);
  const failed = isFailed(outcome) ? steps.findLast((step) => step.depth === 0 && isFailed(step.outcome)) : undefined;
  const byWait = explained.toSorted((a, b) => b.onPathMs - a.onPathMs);
  const longest = byWait.find(({ step }) => isWaitedFor(step)) ?? byWait[0];
  return find(spanId) ?? failed ?? find(longest?.spanId) ?? steps[0];
}

import { stepKindOf } from '@convotel/conventions';
import type { ConversationOutcome, Finding, Severity, CommonErrorRow } from '@convotel/query/answers';
import { outcomeWords, countWords, shortTimeWords } from '../words.ts';
import { formatAddress } from '../address.ts';
import type { Address } from '../address.ts';

/**
 * The CSS class for a step's colour. It depends on the kind, so that language models have the same colour in every
 * pipeline; if that is unknown, on the name, so that the step has the same colour in every view.
 */
export function stepLook(step: string): string {
  const kind = stepKindOf(step);
  if (kind !== 'other') return `look-${kind}`;
  let sum = 0;
  for (let index = 0; index < step.length; index++) sum = (sum * 31 + step.charCodeAt(index)) % 1_000_003;
  return `look-other-${sum % 4}`;
}

/** The legend of step colours, in step order. */
export function StepLegend({ steps }: { steps: readonly string[] }) {
  return (
    <ul class="legend">
      {steps.map((step) => (
        <li key={step}>
          <i class={`swatch ${stepLook(step)}`} />
          {step}
        </li>
      ))}
    </ul>
  );
}

/** Symbols that are shown in addition to the colour, for people who cannot see it. */
const OUTCOME_SIGNS: Readonly<Record<ConversationOutcome, string>> = {
  completed: '✓',
  failed: '✕',
  timed_out: '◷',
  abandoned: '⌁',
  interrupted: '‖',
  open: '…',
};

export function OutcomeBadge({ outcome }: { outcome: ConversationOutcome }) {
  return (
    <span class={`badge outcome-${outcome}`}>
      <span aria-hidden="true">{OUTCOME_SIGNS[outcome]}</span> {outcomeWords(outcome)}
    </span>
  );
}

const SEVERITY_SIGNS: Readonly<Record<Severity, [sign: string, word: string]>> = {
  problem: ['✕', 'Problem'],
  warning: ['▲', 'Warning'],
  advice: ['→', 'Advice'],
  good: ['✓', 'Good'],
  info: ['•', 'Note'],
};

/** Findings in the same order as on the command line, without duplicates. */
export function Findings({ findings }: { findings: readonly Finding[] }) {
  const texts = new Set<string>();
  const once = findings.filter(({ text }) => !texts.has(text) && texts.add(text));
  if (once.length === 0) return null;
  return (
    <ul class="findings">
      {once.map(({ rule, severity, text }) => (
        <li key={rule + text} class={`severity-${severity}`}>
          <span class="sign" aria-hidden="true">
            {SEVERITY_SIGNS[severity][0]}
          </span>
          <span class="unseen">{SEVERITY_SIGNS[severity][1]}: </span>
          {text}
        </li>
      ))}
    </ul>
  );
}

/** Failures by kind, the most frequent first; each opens the latest conversation with that failure. */
export function CommonErrors(props: { rows: readonly CommonErrorRow[]; address: Address; zone: string }) {
  const { rows, address, zone } = props;
  if (rows.length === 0) return <p class="soft">Nothing failed.</p>;
  return (
    <ol class="common-errors">
      {rows.map(({ step, errorType, pattern, message, count, lastSeen, conversationId }) => (
        <li key={JSON.stringify([step, errorType, pattern])}>
          <a href={formatAddress({ ...address, view: 'conversations', conversationId, step: undefined })}>
            <strong>{countWords(count, 'time')}</strong> <span class="chip">{step}</span>
            <span class="message">{pattern ?? message ?? errorType ?? 'no message'}</span>
          </a>
          <span class="soft">
            {errorType === undefined ? null : <code>{errorType}</code>} last{' '}
            {shortTimeWords(Date.parse(lastSeen), zone)}
          </span>
        </li>
      ))}
    </ol>
  );
}

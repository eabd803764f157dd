import type { Finding, Severity } from '@convotel/query/answers';

const SIGNS: Readonly<Record<Severity, [sign: string, word: string]>> = {
  problem: ['✕', 'Problem'],
  warning: ['▲', 'Warning'],
  advice: ['→', 'Advice'],
  good: ['✓', 'Good'],
  info: ['•', 'Note'],
};

/** What the numbers say in words, in the order in which the command line prints it; the same sentence once. */
export function Findings({ findings }: { findings: readonly Finding[] }) {
  const texts = new Set<string>();
  const once = findings.filter(({ text }) => !texts.has(text) && texts.add(text));
  if (once.length === 0) return null;
  return (
    <ul class="findings">
      {once.map(({ rule, severity, text }) => (
        <li key={rule + text} class={`severity-${severity}`}>
          <span class="sign" aria-hidden="true">
            {SIGNS[severity][0]}
          </span>
          <span class="unseen">{SIGNS[severity][1]}: </span>
          {text}
        </li>
      ))}
    </ul>
  );
}

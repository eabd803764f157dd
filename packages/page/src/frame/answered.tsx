import type { ComponentChildren } from 'preact';
import type { Coverage } from '@convotel/query/answers';
import { useState } from 'preact/hooks';
import type { Known } from '../asking/use-answer.ts';
import { warningTexts } from '../asking/rows.ts';

interface WithCoverage {
  coverage: Pick<Coverage, 'complete' | 'warnings'>;
}

/**
 * Shows a value once it is known, with what its coverage warns of; the error as the command line words it, above the last
 * value where there is one.
 */
export function Answered<Value extends WithCoverage>(props: {
  known: Known<Value>;
  children: (value: Value) => ComponentChildren;
}) {
  const { known, children } = props;
  return (
    <>
      <Problem known={known} />
      {known.value === undefined ? (
        known.error === undefined ? (
          <p class="soft waiting">Asking…</p>
        ) : null
      ) : (
        <>
          <Notes known={known} />
          {children(known.value)}
        </>
      )}
    </>
  );
}

export function Problem({ known }: { known: Known<unknown> }) {
  if (known.error === undefined) return null;
  return (
    <p class="error" role="alert">
      {known.error.message}
    </p>
  );
}

/** What an answer did not see. */
export function Notes({ known }: { known: Known<WithCoverage> }) {
  const [isShut, setIsShut] = useState(false);
  const texts = known.value === undefined ? [] : warningTexts(known.value.coverage.warnings);
  if (texts.length === 0 || isShut) return null;
  return (
    <div class="notes" role="note">
      <ul>
        {texts.map((text) => (
          <li key={text}>{text}</li>
        ))}
      </ul>
      <button type="button" onClick={() => setIsShut(true)}>
        Hide
      </button>
    </div>
  );
}

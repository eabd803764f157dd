import type { ComponentChildren } from 'preact';
import type { Coverage } from '@convotel/query/answers';
import { useState, useEffect } from 'preact/hooks';
import type { Known } from '../asking/use-answer.ts';
import { warningTexts } from '../asking/rows.ts';
import type { About } from '../asking/ask.ts';
import type { Address } from '../address.ts';

export interface ViewProps {
  address: Address;
  /** IANA time zone that times are shown in. */
  zone: string;
  /** Undefined until the server has responded. */
  about: About | undefined;
}

interface WithCoverage {
  coverage: Pick<Coverage, 'complete' | 'warnings'>;
}

/**
 * Shows a value as soon as it is known, with the warnings of its coverage. An error is shown above the last value, if
 * any, with the same message as on the command line.
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

/** The warnings of an answer. */
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

/** How long the confirmation is shown, in milliseconds. */
const SAID_MS = 2000;

/** Copies `text()` to the clipboard, and confirms it. */
export function CopyButton({ label, text }: { label: string; text: () => string }) {
  const [said, setSaid] = useState<string>();
  useEffect(() => {
    if (said === undefined) return;
    const timer = setTimeout(() => setSaid(undefined), SAID_MS);
    return () => clearTimeout(timer);
  }, [said]);
  const copy = async (): Promise<void> => {
    try {
      await writeToClipboard(text());
      setSaid('Copied');
    } catch (error) {
      setSaid(`Not copied: ${(error as Error).message}`);
    }
  };
  return (
    <button type="button" class="copy" onClick={() => void copy()}>
      <span aria-live="polite">{said ?? label}</span>
    </button>
  );
}

/** Browsers have no clipboard API on http pages from another machine; there, a selection is copied. */
async function writeToClipboard(text: string): Promise<void> {
  if (navigator.clipboard !== undefined) return navigator.clipboard.writeText(text);
  const area = document.createElement('textarea');
  area.value = text;
  area.className = 'unseen';
  document.body.append(area);
  area.select();
  const isCopied = document.execCommand('copy');
  area.remove();
  if (!isCopied) throw new Error('the browser does not allow it on this address');
}

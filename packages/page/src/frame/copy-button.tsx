import { useEffect, useState } from 'preact/hooks';

/** How long the button says that it has copied, in milliseconds. */
const SAID_MS = 2000;

/** Puts `text()` on the clipboard, and says so. */
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

/** Browsers have no clipboard for pages that came by http from another machine; there a selection is copied. */
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

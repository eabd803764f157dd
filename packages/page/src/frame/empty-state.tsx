import type { About } from '../asking/server.ts';
import { CopyButton } from './copy-button.tsx';
import program from './first-program.txt?raw';

/** Nothing has been sent yet: the lines to paste, and a look every two seconds for the first span. */
export function EmptyState({ about }: { about: About | undefined }) {
  const start = `OTEL_EXPORTER_OTLP_ENDPOINT=${location.origin} node your-program.js`;
  return (
    <section class="empty">
      <h1>No conversation yet</h1>
      {about?.takesSpans === false ? (
        <p>
          There is no conversation in <code>{about.source.location}</code>. When one arrives there, it appears here.
        </p>
      ) : (
        <>
          <p>Wrap the steps of your assistant, and start it with the address of this server:</p>
          <Snippet text={program.trim()} label="program" />
          <Snippet text={start} label="command" />
        </>
      )}
      <p class="waiting" role="status">
        Waiting for the first span…
      </p>
    </section>
  );
}

function Snippet({ text, label }: { text: string; label: string }) {
  return (
    <div class="snippet">
      <pre tabIndex={0}>
        <code>{text}</code>
      </pre>
      <CopyButton label={`Copy the ${label}`} text={() => text} />
    </div>
  );
}

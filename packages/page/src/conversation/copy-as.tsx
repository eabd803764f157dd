import type { AnswerOf } from '../asking/answers.ts';
import type { ShownDetail } from '../asking/rows.ts';
import type { About } from '../asking/server.ts';
import { CopyButton } from '../frame/copy-button.tsx';

/** The same conversation elsewhere: for a colleague, a program, a terminal, or the tracing system it came from. */
export function CopyAs(props: { detail: ShownDetail; report: AnswerOf<'trace'>; about: About | undefined }) {
  const { detail, report, about } = props;
  const command = commandFor(detail.id, about);
  return (
    <section class="elsewhere" aria-labelledby="elsewhere">
      <h2 id="elsewhere">Elsewhere</h2>
      <code class="command">{command}</code>
      <div class="buttons">
        <CopyButton label="Copy link" text={() => location.href} />
        <CopyButton label="Copy JSON" text={() => JSON.stringify(report, null, 2)} />
        <CopyButton label="Copy command" text={() => command} />
        {about?.source.kind === 'jaeger' ? (
          <a class="button" href={jaegerLink(about.source.location, detail.traceId)} rel="noreferrer" target="_blank">
            Open in Jaeger
          </a>
        ) : null}
      </div>
    </section>
  );
}

/** The command that prints the same, from the same place. */
function commandFor(id: string, about: About | undefined): string {
  const from = about === undefined || about.takesSpans ? location.origin : about.source.location;
  return `convotel trace ${shellWord(id)} --from ${shellWord(from)}`;
}

/** `text` as one word of a POSIX shell. */
function shellWord(text: string): string {
  return /^[\w./:@%+=,-]+$/.test(text) && !text.startsWith('-') ? text : `'${text.replaceAll("'", String.raw`'\''`)}'`;
}

function jaegerLink(location: string, traceId: string): string {
  return `${location.replace(/\/+$/, '')}/trace/${traceId}`;
}

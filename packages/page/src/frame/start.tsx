import type { About } from '../asking/ask.ts';
import { CopyButton } from './view.tsx';
import { useState } from 'preact/hooks';
import program from './first-program.txt?raw';
import { signIn } from '../asking/ask.ts';

/** Shown until spans arrive: the lines to paste. The page checks every two seconds for the first span. */
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

/** Asks for the server's token once; the server then sets an HttpOnly cookie. */
export function SignIn({ onSignedIn }: { onSignedIn: () => void }) {
  const [token, setToken] = useState('');
  const [problem, setProblem] = useState<string>();
  const send = async (event: Event): Promise<void> => {
    event.preventDefault();
    const wrong = await signIn(token.trim());
    setProblem(wrong);
    if (wrong === undefined) onSignedIn();
  };
  return (
    <form class="sign-in" onSubmit={(event) => void send(event)}>
      <h1>Sign in</h1>
      <p>This server requires a token. The person who started it has one: it is in the --token-file.</p>
      <label>
        Token
        <input
          type="password"
          autocomplete="current-password"
          value={token}
          onInput={(event) => setToken(event.currentTarget.value)}
          required
        />
      </label>
      {problem === undefined ? null : (
        <p class="error" role="alert">
          {problem}
        </p>
      )}
      <button type="submit" class="primary">
        Sign in
      </button>
    </form>
  );
}

import { useState } from 'preact/hooks';
import { signIn } from '../asking/server.ts';

/** Asks for the server's token once; the browser then keeps a cookie that no script can read. */
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
      <p>This server answers to a token. Whoever started it has one: it is in the file of its --token-file.</p>
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

/** What the server says of itself at `/page/about.json`. */
export interface About {
  /** What answers behind the server. */
  source: { kind: string; location: string };
  /** Whether programs may send spans to this address. */
  takesSpans: boolean;
  version: string;
}

/** @throws `TypeError` when the server cannot be reached. */
export async function readAbout(): Promise<About | undefined> {
  const response = await fetch('page/about.json');
  return response.ok ? ((await response.json()) as About) : undefined;
}

/**
 * Signs in with the server's token, which then stands in a cookie that no script can read.
 * @returns what was wrong, in words; undefined when it worked
 */
export async function signIn(token: string): Promise<string | undefined> {
  try {
    const response = await fetch('page/sign-in', {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ token }),
    });
    if (response.ok) return undefined;
    return response.status === 401
      ? 'That is not the token of this server.'
      : `The server answered ${response.status}.`;
  } catch (error) {
    return `The server cannot be reached: ${(error as Error).message}`;
  }
}

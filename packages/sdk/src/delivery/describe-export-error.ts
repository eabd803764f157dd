const MAX_ANSWER_LENGTH = 200;

/** Says in a few words why an export failed; what a server answered is quoted, so that it cannot act on a terminal. */
export function describeExportError(error: unknown): string {
  if (!(error instanceof Error)) return 'the answer asks to try again later, or none came in time';
  const { code, data } = error as { code?: unknown; data?: unknown };
  if (typeof code === 'number')
    return `answered ${code} ${quoted(typeof data === 'string' && data !== '' ? data : error.message)}`;
  if (code === 'ECONNREFUSED') return 'nobody listens there (ECONNREFUSED)';
  if (typeof code === 'string') return `${code} ${quoted(error.message)}`;
  return quoted(error.message);
}

function quoted(text: string): string {
  return JSON.stringify(text.slice(0, MAX_ANSWER_LENGTH));
}

const MAX_ANSWER_LENGTH = 200;

/** Says in a few words why an export failed; what a server answered is quoted, so that it cannot act on a terminal. */
export function describeExportError(error: unknown): string {
  const { code, data, message } = (typeof error === 'object' && error !== null ? error : {}) as Record<string, unknown>;
  if (typeof code === 'number') return `answered ${code} ${quoted(data === undefined || data === '' ? message : data)}`;
  if (code === 'ECONNREFUSED') return 'nobody listens there (ECONNREFUSED)';
  if (typeof code === 'string') return `${code} ${quoted(message)}`;
  return quoted(message);
}

function quoted(text: unknown): string {
  return typeof text === 'string' ? JSON.stringify(text.slice(0, MAX_ANSWER_LENGTH)) : 'for an unknown reason';
}

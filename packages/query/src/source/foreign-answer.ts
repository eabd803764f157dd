/** Longest piece of a foreign answer that an error message quotes, in UTF-16 code units. */
const MAX_QUOTED_LENGTH = 200;

/** The causes that fetch hides behind "fetch failed", such as `connect ECONNREFUSED 127.0.0.1:4318`. */
export function reasonOfFetch(error: unknown): string {
  const { message, cause, errors } = error as Partial<AggregateError>;
  if (cause !== undefined) return reasonOfFetch(cause);
  return errors === undefined ? String(message) : errors.map(reasonOfFetch).join(', ');
}

/** The beginning of what a server has answered, quoted. */
export function quoteAnswer(text: string): string {
  const start = text.slice(0, MAX_QUOTED_LENGTH).trim();
  return JSON.stringify(text.length > MAX_QUOTED_LENGTH ? `${start}…` : start);
}

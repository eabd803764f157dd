/** Longest piece of a foreign answer that an error message quotes, in UTF-16 code units. */
const MAX_QUOTED_LENGTH = 200;

/** Why a request failed, such as `connect ECONNREFUSED 127.0.0.1:4318`; all reasons where several addresses were tried. */
export function reasonOfFailure(error: unknown): string {
  const { message, cause, errors } = error as Partial<AggregateError>;
  if (cause !== undefined) return reasonOfFailure(cause);
  return errors === undefined ? String(message) : errors.map(reasonOfFailure).join(', ');
}

/** The beginning of what a server has answered, quoted. */
export function quoteAnswer(text: string): string {
  const start = text.slice(0, MAX_QUOTED_LENGTH).trim();
  return JSON.stringify(text.length > MAX_QUOTED_LENGTH ? `${start}…` : start);
}

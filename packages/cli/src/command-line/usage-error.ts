/** The command was called in a way that it cannot be; exit status 2. The message says what is right. */
export class UsageError extends Error {
  override readonly name = 'UsageError';
}

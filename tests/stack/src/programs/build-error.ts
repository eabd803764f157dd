/** Stable, so callers may branch on them; messages are for people and may change. */
export type BuildErrorCode = 'GO_MISSING' | 'GO_UNSUITABLE' | 'BUILD_FAILED';

/** The programs of the stack could not be built. */
export class BuildError extends Error {
  override readonly name = 'BuildError';
  readonly code: BuildErrorCode;

  constructor(code: BuildErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}

import { codedError } from '@convotel/conventions';

/** A command line that cannot be understood; exit status 2. The message says what would be right. */
export class UsageError extends codedError('UsageError') {
  constructor(message: string, options?: ErrorOptions) {
    super('WRONG_USAGE', message, options);
  }
}

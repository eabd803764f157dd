/** Documentation of an error code. */
export interface ErrorMeaning {
  /** What happened. */
  happened: string;
  /** What to do next. */
  next: string;
}

/**
 * All error codes of all packages, by error class. Codes are stable, so programs may depend on them; messages may
 * change. `docs/errors.md` contains this table.
 */
export const ERROR_CODES = {
  QueryError: {
    OPTION_OUT_OF_RANGE: {
      happened: 'An option is of the wrong kind or outside its documented range.',
      next: 'Correct the option that the message names.',
    },
    NO_SUCH_CONVERSATION: {
      happened: 'The source has no conversation with this id.',
      next: 'List the newest ids with `recent`.',
    },
  },
  SourceError: {
    UNREACHABLE: {
      happened: 'Nothing answers at the address, the answer took too long, or the file does not exist.',
      next: 'Start the back end, or name another place to read from.',
    },
    WRONG_ANSWER: {
      happened: 'The service at the address gave an answer that this source does not expect.',
      next: 'Check the address and the version of what is running there.',
    },
    NOT_OTLP: {
      happened: 'The file is not empty, but contains no spans that can be read.',
      next: 'Do what the message says for this format, or give a file of OTLP/JSON.',
    },
    STORE_LOCKED: {
      happened: 'Another process has the store open and does not answer questions.',
      next: 'Stop that process, or read from its address.',
    },
    STORE_UNREADABLE: {
      happened: 'The file is not a convotel store, or was written by a newer convotel.',
      next: 'Check the path, or update convotel.',
    },
  },
  TimeError: {
    TIME_ZONE_UNKNOWN: {
      happened: 'The time zone is not an IANA name that this Node.js knows.',
      next: 'Give a name such as `Europe/Berlin` or `UTC`.',
    },
    INSTANT_MALFORMED: {
      happened: 'The text is not an RFC 3339 time with an offset, or there is no such day or time.',
      next: 'Write it like `2025-10-08T14:30:00Z`.',
    },
    DATE_MALFORMED: {
      happened: 'The text is not a date, or there is no such day.',
      next: 'Write it like `2025-10-08`.',
    },
    INSTANT_OUT_OF_RANGE: {
      happened: 'The time is before the year 0 or after 9999, which RFC 3339 cannot express.',
      next: 'Check the clock of the program that recorded it.',
    },
  },
  OtlpFormatError: {
    OTLP_MALFORMED: {
      happened: 'The input is not a valid OTLP trace request.',
      next: 'Check what is sent; the message names the place.',
    },
  },
  QuestionFormatError: {
    QUESTION_MALFORMED: {
      happened: 'A URL is not a question of the query API, or asks for more than it allows.',
      next: 'Correct the parameter that the message names.',
    },
  },
  AnswerFormatError: {
    ANSWER_MALFORMED: {
      happened: 'The JSON is not an answer to the question asked.',
      next: 'Use the same version of convotel on both sides.',
    },
  },
  LocalError: {
    PORT_IN_USE: {
      happened: 'Another process listens on the port.',
      next: 'Stop that process, or choose another port.',
    },
    TOKEN_FILE_MALFORMED: {
      happened: 'The token file contains no tokens, a token that is too short, or a line that is not a token.',
      next: 'Write one token per line, for example the output of `openssl rand -hex 32`.',
    },
    TOKEN_MISSING: {
      happened: 'The back end was started without a token on an address that other machines can reach.',
      next: 'Give it a token file, or let it listen on 127.0.0.1 or a Unix socket.',
    },
    STORE_LOCKED: {
      happened: 'Another process has the store open.',
      next: 'Stop that process, or choose another file.',
    },
    STORE_UNREADABLE: {
      happened: 'The file is not a convotel store, or was written by a newer convotel.',
      next: 'Check the path, or update convotel.',
    },
    STORE_UNWRITABLE: {
      happened: 'The store cannot be written at the moment: the disk is full or failing.',
      next: 'Free some disk space; the sender retries automatically.',
    },
    SPAN_UNSTORABLE: {
      happened: 'A span has a value that the store cannot hold.',
      next: 'Correct the program that creates it; sending it again does not help.',
    },
    BACKUP_FAILED: {
      happened: 'The copy of the store could not be made.',
      next: 'Choose a file that does not exist yet, on a disk with room.',
    },
    FORGET_FAILED: {
      happened: 'A conversation could not be deleted.',
      next: 'Use a token that may delete, or check why the back end does not answer.',
    },
    OPTION_OUT_OF_RANGE: {
      happened: 'An option is of the wrong kind or outside its documented range.',
      next: 'Correct the option that the message names.',
    },
  },
  TracingOptionsError: {
    INVALID_ENDPOINT: {
      happened: 'The endpoint is not an `http://` or `https://` address.',
      next: 'Write it like `http://localhost:4318`.',
    },
    OPTION_OUT_OF_RANGE: {
      happened: 'An option is of the wrong kind or outside its documented range.',
      next: 'Correct the option that the message names.',
    },
  },
  UsageError: {
    WRONG_USAGE: {
      happened: 'The command line is invalid.',
      next: 'See `convotel help <command>`.',
    },
  },
} as const satisfies Record<string, Record<string, ErrorMeaning>>;

/** The name of an error class with codes. */
export type CodedErrorName = keyof typeof ERROR_CODES;

/** The codes of the error class `Name`. */
export type ErrorCodeOf<Name extends CodedErrorName> = keyof (typeof ERROR_CODES)[Name] & string;

/** An error with a stable code. The original error, if any, is its `cause`. */
export interface CodedError<Name extends CodedErrorName> extends Error {
  readonly name: Name;
  readonly code: ErrorCodeOf<Name>;
}

/** The base class that {@link codedError} returns. */
export type CodedErrorClass<Name extends CodedErrorName> = new (
  code: ErrorCodeOf<Name>,
  message: string,
  options?: ErrorOptions,
) => CodedError<Name>;

/**
 * Creates the base class for the errors that are listed as `name` in {@link ERROR_CODES}:
 * `export class TimeError extends codedError('TimeError') {}`. An unlisted code is a type error.
 */
export function codedError<Name extends CodedErrorName>(name: Name): CodedErrorClass<Name> {
  return class extends Error {
    override readonly name = name;
    readonly code: ErrorCodeOf<Name>;

    constructor(code: ErrorCodeOf<Name>, message: string, options?: ErrorOptions) {
      super(message, options);
      this.code = code;
    }
  };
}

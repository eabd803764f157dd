/** What one error code tells a person. */
export interface ErrorMeaning {
  /** What happened. */
  happened: string;
  /** What to do next. */
  next: string;
}

/**
 * Every error code of every package, below the class that carries it. Codes are stable, so programs may branch on them;
 * messages are for people and may change. `docs/errors.md` shows this table.
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
      happened: 'Something answers, but not as this source expects.',
      next: 'Check the address and the version of what is running there.',
    },
    NOT_OTLP: {
      happened: 'The file holds something, but nothing that can be read as spans.',
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
      happened: 'The back end was to listen where other machines reach it, without a token.',
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
      happened: 'The store cannot be written at present: the disk is full or failing.',
      next: 'Make room; the sender tries again by itself.',
    },
    SPAN_UNSTORABLE: {
      happened: 'A span has a value that the store cannot hold.',
      next: 'Correct the program that makes it; sending it again does not help.',
    },
    BACKUP_FAILED: {
      happened: 'The copy of the store could not be made.',
      next: 'Choose a file that does not exist yet, on a disk with room.',
    },
    FORGET_FAILED: {
      happened: 'A conversation could not be deleted.',
      next: 'Show a token that may delete, or see why the back end does not answer.',
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
      happened: 'The command line cannot be understood.',
      next: 'See `convotel help <command>`.',
    },
  },
} as const satisfies Record<string, Record<string, ErrorMeaning>>;

/** The name of a class of errors that carry a code. */
export type CodedErrorName = keyof typeof ERROR_CODES;

/** The codes that errors of the class `Name` carry. */
export type ErrorCodeOf<Name extends CodedErrorName> = keyof (typeof ERROR_CODES)[Name] & string;

/** An error with a stable code. The original error, where there is one, is its `cause`. */
export interface CodedError<Name extends CodedErrorName> extends Error {
  readonly name: Name;
  readonly code: ErrorCodeOf<Name>;
}

/** What {@link codedError} returns: a class to extend. */
export type CodedErrorClass<Name extends CodedErrorName> = new (
  code: ErrorCodeOf<Name>,
  message: string,
  options?: ErrorOptions,
) => CodedError<Name>;

/**
 * Makes the class of the errors that are called `name` in {@link ERROR_CODES}:
 * `export class TimeError extends codedError('TimeError') {}`. A code that the table lacks does not compile.
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

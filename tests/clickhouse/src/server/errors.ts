/** An error that the server itself finds, worded as ClickHouse words it. */
export class ClickHouseRefusal extends Error {
  override readonly name = 'ClickHouseRefusal';

  constructor(code: number, type: string, text: string) {
    super(`Code: ${code}. DB::Exception: ${text} (${type})`);
  }
}

/** How ClickHouse's HTTP interface answers an error. */
export interface DescribedError {
  /** The number of `X-ClickHouse-Exception-Code`. */
  code: string;
  status: number;
  text: string;
}

/** HTTP statuses of ClickHouse's errors by name; any other one is 500. Source: `HTTPHandler.cpp` of ClickHouse 26. */
const TYPES_BY_STATUS: Readonly<Record<number, string>> = {
  400:
    'BAD_ARGUMENTS CANNOT_COMPILE_REGEXP CANNOT_PARSE_TEXT CANNOT_PARSE_ESCAPE_SEQUENCE CANNOT_PARSE_QUOTED_STRING ' +
    'CANNOT_PARSE_DATE CANNOT_PARSE_DATETIME CANNOT_PARSE_NUMBER CANNOT_PARSE_UUID DUPLICATE_COLUMN ILLEGAL_COLUMN ' +
    'CANNOT_PARSE_INPUT_ASSERTION_FAILED THERE_IS_NO_COLUMN TOO_DEEP_AST TOO_BIG_AST SYNTAX_ERROR INCORRECT_DATA ' +
    'TYPE_MISMATCH VALUE_IS_OUT_OF_RANGE_OF_DATA_TYPE',
  401: 'REQUIRED_PASSWORD',
  403: 'UNKNOWN_USER WRONG_PASSWORD AUTHENTICATION_FAILED ACCESS_DENIED',
  404:
    'UNKNOWN_TABLE UNKNOWN_FUNCTION UNKNOWN_IDENTIFIER UNKNOWN_TYPE UNKNOWN_STORAGE UNKNOWN_DATABASE UNKNOWN_SETTING ' +
    'UNKNOWN_AGGREGATE_FUNCTION UNKNOWN_FORMAT UNKNOWN_TYPE_OF_QUERY',
  408: 'TIMEOUT_EXCEEDED',
  413: 'QUERY_IS_TOO_LARGE',
  501: 'NOT_IMPLEMENTED',
  503: 'SOCKET_TIMEOUT CANNOT_OPEN_FILE',
};

const STATUS_BY_TYPE = new Map(
  Object.entries(TYPES_BY_STATUS).flatMap(([status, types]) => types.split(' ').map((type) => [type, Number(status)])),
);

/** What the engine, or a {@link ClickHouseRefusal}, says, in the form of an answer of the server `version`. */
export function describeError(error: unknown, version: string): DescribedError {
  let text = (error instanceof Error ? error.message : String(error))
    // The binding puts words of its own in front, and sometimes the same prefix twice.
    .replace(/^(Query failed: |Stream\w* failed: )+/, '')
    .replace(/^Code: \d+\. DB::Exception: (?=Code: )/, '')
    .replace(/ \(version [^)]*\)+$/, '')
    .trim();
  const code = /Code:\s*(\d+)/.exec(text)?.[1];
  if (code === undefined) text = `Code: 1001. DB::Exception: ${text} (STD_EXCEPTION)`;
  const type = [...text.matchAll(/\(([A-Z][A-Z0-9_]{3,})\)/g)].at(-1)?.[1];
  return {
    code: code ?? '1001',
    status: STATUS_BY_TYPE.get(type ?? '') ?? 500,
    text: `${text} (version ${version} (official build))\n`,
  };
}

/** A cause of errors that a message or a type gives away, and what to do about it. */
export interface ErrorCause {
  /** After "failed due to". */
  phrase: string;
  /** What kind of trouble it is, in brackets behind "all errors are in this step". */
  area: string;
  /** Whether the same call may succeed a moment later. */
  isRetryable: boolean;
  /** What to do about it. */
  remedy: string;
  /** What to keep an eye on. */
  monitoring: string;
  /** Words that give the cause away, in the error's type or message. */
  words: RegExp;
  /** HTTP status codes (RFC 9110) that give it away, as the type or after "HTTP" or "status" in the message. */
  statusCodes: readonly number[];
}

/** The table of causes; the first one that fits counts, so the more specific come first. */
export const ERROR_CAUSES: readonly ErrorCause[] = [
  {
    phrase: 'exhausted API quota',
    area: 'API issues',
    isRetryable: false,
    remedy: 'Raise the API quota or spread the load',
    monitoring: 'Monitor API quotas more closely',
    words: /insufficient.?quota|quota.{0,20}exceeded|exceeded.{0,30}quota|billing/i,
    statusCodes: [402],
  },
  {
    phrase: 'API rate limit',
    area: 'API issues',
    isRetryable: true,
    remedy: 'Implement exponential backoff for rate limits',
    monitoring: 'Monitor API quotas more closely',
    words: /rate.?limit|too.?many.?requests|throttl/i,
    statusCodes: [429],
  },
  {
    phrase: 'a timeout',
    area: 'timeouts',
    isRetryable: true,
    remedy: 'Set time limits that fit and give up early',
    monitoring: 'Monitor the slowest calls more closely',
    words: /time.?out|timed.?out|deadline/i,
    statusCodes: [408, 504],
  },
  {
    phrase: 'rejected credentials',
    area: 'credentials',
    isRetryable: false,
    remedy: 'Check the credentials and their permissions',
    monitoring: 'Monitor when credentials expire',
    words: /unauthori[sz]ed|authentication|forbidden|(?:invalid|incorrect).{0,20}(?:key|token)|permission.?denied/i,
    statusCodes: [401, 403],
  },
  {
    phrase: 'a lost connection',
    area: 'network issues',
    isRetryable: true,
    remedy: 'Check the network path to the service',
    monitoring: 'Monitor the connection to the service',
    words: /ECONN|ENOTFOUND|EPIPE|EAI_AGAIN|ENETUNREACH|EHOSTUNREACH|socket|network|connect|fetch failed/i,
    statusCodes: [],
  },
  {
    phrase: 'an input that is too long',
    area: 'input length',
    isRetryable: false,
    remedy: 'Shorten the input before the call',
    monitoring: 'Monitor input lengths',
    words: /context.?(?:length|window)|too.?many.?tokens|too.?(?:long|large)/i,
    statusCodes: [413],
  },
  {
    phrase: 'an unavailable service',
    area: 'service issues',
    isRetryable: true,
    remedy: 'Switch to another provider or region while the service is unavailable',
    monitoring: "Monitor the provider's status",
    words: /unavailable|overload|internal.?server.?error|bad.?gateway/i,
    statusCodes: [500, 502, 503, 529],
  },
  {
    phrase: 'exhausted resources',
    area: 'resources',
    isRetryable: false,
    remedy: 'Give the program more memory, disk or file handles',
    monitoring: 'Monitor memory, disk and file handles',
    words: /out.?of.?memory|ENOMEM|ENOSPC|EMFILE/i,
    statusCodes: [507],
  },
  {
    phrase: 'the end of the program',
    area: 'crashes or restarts',
    isRetryable: false,
    remedy: 'Find out why the program ends while conversations are open',
    monitoring: 'Monitor restarts of the program',
    words: /^abandoned$/i,
    statusCodes: [],
  },
];

/** What an error says about itself. */
export interface ErrorWords {
  errorType?: string | undefined;
  message?: string | undefined;
}

/** The cause that an error's type or message gives away; undefined where neither says anything to us. */
export function findErrorCause({ errorType = '', message = '' }: ErrorWords): ErrorCause | undefined {
  return ERROR_CAUSES.find(
    ({ words, statusCodes }) =>
      words.test(errorType) ||
      words.test(message) ||
      statusCodes.some((code) => errorType === String(code) || isStatusIn(message, code)),
  );
}

// A bare number says nothing: "took 500 ms" is no status.
function isStatusIn(message: string, code: number): boolean {
  return new RegExp(String.raw`\b(?:http|status|status code)[ :=]*${code}\b`, 'i').test(message);
}

const MAX_ANSWER_LENGTH = 200;

/** What the usual codes of a failed connection mean, in words. */
const WORDS: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'connection refused',
  ECONNRESET: 'connection reset',
  EPIPE: 'connection closed while sending',
  ENOTFOUND: 'no such host',
  EAI_AGAIN: 'the host name could not be looked up',
  ETIMEDOUT: 'connection timed out',
  EHOSTUNREACH: 'host unreachable',
  ENETUNREACH: 'network unreachable',
  DEPTH_ZERO_SELF_SIGNED_CERT: 'the certificate is self-signed',
  SELF_SIGNED_CERT_IN_CHAIN: 'a certificate in the chain is self-signed',
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: 'the certificate cannot be verified',
  CERT_HAS_EXPIRED: 'the certificate has expired',
  ERR_TLS_CERT_ALTNAME_INVALID: 'the certificate is for another host',
};

/**
 * Says in a few words why a request failed. What a server answered is quoted as JSON, so that it cannot act on a
 * terminal.
 */
export function describeFailure(error: unknown): string {
  const { code, data, message } = (typeof error === 'object' && error !== null ? error : {}) as Record<string, unknown>;
  if (typeof code === 'number') {
    const said = typeof data === 'string' && data !== '' ? data : message;
    return typeof said === 'string' && said !== '' ? `answered ${code} ${quoted(said)}` : `answered ${code}`;
  }
  if (typeof code === 'string') return `${WORDS[code] ?? quoted(String(message))} (${code})`;
  return typeof message === 'string' ? quotedIfStrange(message) : 'unknown reason';
}

/** An address without what may be secret in it: user, password, query. */
export function addressForPeople(url: URL): string {
  return `${url.protocol}//${url.host}${url.pathname}`;
}

function quoted(text: string): string {
  return JSON.stringify(text.slice(0, MAX_ANSWER_LENGTH));
}

function quotedIfStrange(message: string): string {
  return /^[\x20-\x7e]{1,200}$/.test(message) ? message : quoted(message);
}

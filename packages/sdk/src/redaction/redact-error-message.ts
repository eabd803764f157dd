/** What is masked, and by which word. In this order: what names a secret comes before what only looks like one. */
const RULES: readonly (readonly [pattern: RegExp, mask: string])[] = [
  // Credentials in an address: https://user:password@host
  [/(\/\/)[^\s/@:]{1,128}:[^\s/@]{1,256}@/g, '$1[secret]@'],
  [/\b(bearer|basic)\s+[\w.~+/=-]{6,}/gi, '$1 [secret]'],
  [
    /\b(api[_ -]?key|access[_ -]?key|access[_ -]?token|auth[_ -]?token|token|secret|password|passwd)("?\s{0,4}[:=]\s{0,4}"?)[^\s"',;&)\]}]{4,}/gi,
    '$1$2[secret]',
  ],
  // JSON Web Tokens (RFC 7519), then keys by the prefixes that their issuers give them.
  [/\beyJ[\w-]{8,}\.[\w-]{8,}(?:\.[\w-]{0,})?/g, '[secret]'],
  [/\b(?:sk|pk|rk)[-_][\w*-]{8,}/g, '[secret]'],
  [/\b(?:gh[opsur]_|github_pat_|glpat-|xox[abeprs]-|AKIA|AIza|hf_|gsk_)[\w-]{8,}/g, '[secret]'],
  [/\b[0-9a-fA-F]{32,}\b/g, '[secret]'],
  [/[\w.+-]{1,64}@[\w-]{1,63}(?:\.[\w-]{1,63}){1,8}/g, '[email]'],
  // Numbers of telephones, cards and accounts: eight digits and more, written in groups or not.
  [/\+?\d(?:[ .-]?\d){7,}/g, '[number]'],
];

/**
 * Masks what an error's message should not carry out of the process: e-mail addresses, bearer tokens and keys,
 * credentials in addresses, and runs of eight digits and more. It is a net, not a proof: where messages quote users,
 * send none (`errorMessages: 'none'`).
 */
export function redactErrorMessage(message: string): string {
  return RULES.reduce((text, [pattern, mask]) => text.replace(pattern, mask), message);
}

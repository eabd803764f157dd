import { maskNamedSecrets, SECRET_MASK } from './named-secrets.ts';

/** A text without any of these cannot match a pattern unless it is long enough to contain a key. */
const MAY_HOLD_SOMETHING = /[\d@:=%：＝]|bearer|basic/i;
const SHORT = 24;

const PRIVATE_KEY = /-----BEGIN [A-Z ]{0,30}(?:PRIVATE KEY|CERTIFICATE)[A-Z ]{0,10}-----/g;
const SCHEME = /(?:Bearer|Basic|Token|Digest|ApiKey)(?:\s|%20|\+)+([\w.~+/=%-]{8,})/gi;
/** JSON Web Tokens (RFC 7519), then keys with the prefix of a known issuer. */
const ISSUED =
  /\beyJ[\w-]{6,}\.[\w-]{4,}(?:\.[\w-]*)?|\b(?:(?:sk|pk|rk|ak|whsec|key|api|pat|sess|org|proj)[-_](?=[\w*-]{0,200}?[\d*_-])[\w*-]{8,}|(?:gh[opsur]_|github_pat_|gl[a-z]{2,6}-|xox[a-z]-|xapp-|AKIA|ASIA|AIza|ya29\.|hf_|gsk_|npm_|pypi-|dop_v1_|shp[a-z]{2}_|sq0[a-z]{3}-|EAAC|ATATT|hv[sb]\.|dckr_pat_|lin_api_|nvapi-|r8_|tvly-|xai-|AGE-SECRET-KEY-|SG\.|key-|AC(?=[0-9a-f]{32})|SK(?=[0-9a-f]{32}))[\w.-]{8,})/g;
const LONG_WORD = /[A-Za-z0-9_=-]{24,}/g;
const BASE64 = /[A-Za-z0-9+/]{32,}={0,2}/g;
const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i;
const GENERATED_ID = /^\d{8}_\d{6}_[0-9a-f]{16}$/i;
const IBAN = /\b[A-Z]{2}\d{2}(?:[ -]?[A-Z0-9]{4}){2,7}(?:[ -]?[A-Z0-9]{1,4})?(?![A-Z0-9])/gi;
const MAY_HOLD_USER_CODE = /code|pin|otp|pass/i;
/** Codes that are sent to a user, and personal identification numbers, in prose. */
const USER_CODE =
  /(\b(?:(?:verification|security|confirmation|activation|access|one[- ]?time|sms|2fa|mfa|your)[ _-](?:code|pin|passcode|password)|otp|pin)\b(?: (?:is|was))?[ \t]{0,4}[:=]?[ \t]{0,4}["']?)\d{4,8}\b/gi;
/** `user:password@host` without a scheme. */
const CREDENTIALS =
  /(?<![\w.+:@-])([\w.+-]{1,64}):([^\s:@/"'`<>,;]{3,128})@(?=(?!sha\d)[a-z][\w.-]{0,253}(?:[:/\s"'`)\],;]|$))/gi;
const NO_USER = /^(?:npm|jsr|workspace|git|sips?|mailto|xmpp|acct|im)$/i;
/** Passwords in the command lines that errors of child processes quote. */
const COMMAND_LINES: readonly RegExp[] = [
  /((?:^|\s)(?:-u|--user|--proxy-user)[ \t=]{1,4}["']?[^\s:"']{1,64}:)(?!\d+(?!\S))[^\s"']{3,256}/g,
  /(\b(?:mysql|mariadb)[\w-]{0,16}\s[^\r\n|;&]{0,100}?-p)(?<=\s-p)[^\s"'][^\s"']{2,256}/g,
  /(\bsshpass[ \t]{1,4}-p[ \t]{0,4}["']?)[^\s"']{3,256}/g,
  /(\bredis-cli\s[^\r\n|;&]{0,100}?-a[ \t]{1,4}["']?)(?<=\s-a[ \t]{1,4}["']?)[^\s"']{3,256}/g,
];
/**
 * Digits with the usual separators, or a UUID or a generated conversation id, whose digits are none of anybody's. Only a digit may follow the character
 * class, so that matching is linear.
 */
const NUMBER_RUN =
  /\b[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}\b|\b\d{8}_\d{6}_[0-9a-f]{16}\b|[+(]{0,2}\d[\d ()./\u00a0\u2009\u202f\u2010-\u2013-]{4,}\d/gi;
const MAX_LOCAL_LENGTH = 64;
const MAX_LABEL_LENGTH = 63;
const MAX_LABELS = 9;

/**
 * Masks e-mail addresses, telephone, card and account numbers, keys, tokens, cookies, passwords and credentials in
 * URLs. Takes time linear in the length of the text. It cannot find everything: if messages quote users, do not send
 * them (`errorMessages: 'none'`).
 */
export function redactErrorMessage(message: string): string {
  if (message.length < SHORT && !MAY_HOLD_SOMETHING.test(message)) return message;
  let text = maskPrivateKeys(message);
  text = maskAddresses(text);
  if (text.includes('@')) text = text.replace(CREDENTIALS, maskCredentials);
  text = maskNamedSecrets(text);
  if (text.includes(' -')) {
    for (const commandLine of COMMAND_LINES) text = text.replace(commandLine, `$1${SECRET_MASK}`);
  }
  if (MAY_HOLD_USER_CODE.test(text)) text = text.replace(USER_CODE, `$1${SECRET_MASK}`);
  text = text.replace(SCHEME, (all, value: string) => (looksIssued(value) ? all.replace(value, SECRET_MASK) : all));
  text = text.replace(ISSUED, SECRET_MASK);
  text = maskEmails(text);
  text = text.replace(IBAN, (all) => (isIban(all) ? '[iban]' : all));
  text = text.replace(BASE64, (all) => (isRandomBase64(all) ? SECRET_MASK : all));
  text = text.replace(LONG_WORD, (all) => (isRandomWord(all) ? SECRET_MASK : all));
  return text.replace(NUMBER_RUN, maskNumber);
}

function maskPrivateKeys(text: string): string {
  if (!text.includes('-----BEGIN ')) return text;
  let masked = '';
  let done = 0;
  PRIVATE_KEY.lastIndex = 0;
  for (let match = PRIVATE_KEY.exec(text); match !== null; match = PRIVATE_KEY.exec(text)) {
    const end = text.indexOf('-----END ', PRIVATE_KEY.lastIndex);
    masked += text.slice(done, match.index) + SECRET_MASK;
    // Without an end marker, everything that follows may be part of the key.
    if (end === -1) return masked;
    const close = text.indexOf('-----', end + 9);
    done = close === -1 ? text.length : close + 5;
    PRIVATE_KEY.lastIndex = done;
  }
  return masked + text.slice(done);
}

/** `scheme://user:password@host`: masks everything before the last `@` of the authority. */
function maskAddresses(text: string): string {
  let masked = '';
  let done = 0;
  for (let at = text.indexOf('://'); at !== -1; at = text.indexOf('://', at + 3)) {
    const from = at + 3;
    const length = /[\s"'<>`/?#\\]/.exec(text.slice(from, from + 512))?.index ?? Math.min(512, text.length - from);
    const user = text.slice(from, from + length).lastIndexOf('@');
    if (user <= 0 || from < done) continue;
    masked += `${text.slice(done, from)}${SECRET_MASK}`;
    done = from + user;
  }
  return done === 0 ? text : masked + text.slice(done);
}

/** What looks like an e-mail address after a label, `to:bob@example.com`, is left to {@link maskEmails}. */
function maskCredentials(all: string, user: string, password: string, offset: number, text: string): string {
  const host = /^[\w.-]{0,254}/.exec(text.slice(offset + all.length, offset + all.length + 254))![0];
  if (NO_USER.test(user) || (/^[\w.+%'-]+$/.test(password) && /\w\.\w/.test(host))) return all;
  return `${user}:${SECRET_MASK}@`;
}

function maskEmails(text: string): string {
  let masked = '';
  let done = 0;
  let plain = text.indexOf('@');
  let encoded = text.indexOf('%40');
  while (plain !== -1 || encoded !== -1) {
    const isPlain = encoded === -1 || (plain !== -1 && plain < encoded);
    const at = isPlain ? plain : encoded;
    const after = at + (isPlain ? 1 : 3);
    const to = endOfDomain(text, after);
    const from = to > after ? startOfLocalPart(text, at, done) : at;
    if (from < at) {
      masked += `${text.slice(done, from)}[email]`;
      done = to;
    }
    if (isPlain) plain = text.indexOf('@', Math.max(after, done));
    else encoded = text.indexOf('%40', Math.max(after, done));
  }
  return done === 0 ? text : masked + text.slice(done);
}

function startOfLocalPart(text: string, at: number, done: number): number {
  let from = at;
  const earliest = Math.max(done, at - MAX_LOCAL_LENGTH);
  while (from > earliest && isLocalCode(text.charCodeAt(from - 1))) from -= 1;
  return from;
}

/** End of the domain name with at least two labels that begins at `from`; `from` if there is none. */
function endOfDomain(text: string, from: number): number {
  let end = from;
  let at = from;
  for (let labels = 0; labels < MAX_LABELS; labels += 1) {
    const label = at;
    while (at - label < MAX_LABEL_LENGTH && (isWordCode(text.charCodeAt(at)) || text[at] === '-')) at += 1;
    if (at === label) break;
    if (labels > 0) end = at;
    if (text[at] !== '.') break;
    at += 1;
  }
  return end;
}

/** Word characters, and `%`, `'`, `+`, `-`, `.`. */
function isLocalCode(code: number): boolean {
  return isWordCode(code) || code === 45 || code === 46 || code === 43 || code === 37 || code === 39;
}

/** Letters and digits of any script, and `_`. `NaN`, beyond the end of the text, is not one. */
function isWordCode(code: number): boolean {
  return (
    (code >= 97 && code <= 122) || (code >= 65 && code <= 90) || (code >= 48 && code <= 57) || code === 95 || code > 160
  );
}

function looksIssued(value: string): boolean {
  return /\d/.test(value) || value.length >= 20 || value.endsWith('=');
}

function isIban(text: string): boolean {
  const compact = text.replaceAll(/[ -]/g, '').toUpperCase();
  if (compact.length < 15 || compact.length > 34) return false;
  let remainder = 0;
  for (const character of compact.slice(4) + compact.slice(0, 4)) {
    const value = Number.parseInt(character, 36);
    remainder = (remainder * (value > 9 ? 100 : 10) + value) % 97;
  }
  return remainder === 1;
}

/** Whether the word looks random, as keys do: upper case, lower case and digits mixed, or hexadecimal digits. */
function isRandomWord(word: string): boolean {
  if (/^[0-9a-f]{32,}$/i.test(word)) return /[a-f]/i.test(word);
  if (UUID.test(word)) return false;
  return /[A-Z]/.test(word) && /[a-z]/.test(word) && /\d\D*\d\D*\d/.test(word);
}

function isRandomBase64(text: string): boolean {
  // A path is short words between slashes.
  if (text.includes('/') && text.length / text.split('/').length < 10) return false;
  return isRandomWord(text.replaceAll(/[+/=]/g, ''));
}

const DATE = /^\D{0,2}(?:19|20)\d\d[-/.](?:0?[1-9]|1[0-2])[-/.](?:0?[1-9]|[12]\d|3[01])(?!\d)(?:[ .-]\d{0,2})?$/;
const REVERSED_DATE = /^(?:0?[1-9]|[12]\d|3[01])[-/.](?:0?[1-9]|[12]\d|3[01])[-/.](?:19|20)\d\d(?:\s\d{0,2})?$/;
/** A Unix time in seconds, milliseconds, microseconds or nanoseconds between 2017 and 2033. */
const EPOCH_TIME = /^1[5-9]\d{8}(?:\d{3}|\d{6}|\d{9})?$/;
const IP_ADDRESS = /^\d{1,3}(?:\.\d{1,3}){3}$/;
const VERSION = /^\d{1,3}(?:\.\d{1,5}){1,4}(?:-\d{1,4})?$/;

function maskNumber(run: string, offset: number, text: string): string {
  if (UUID.test(run) || GENERATED_ID.test(run)) return run;
  // Digits in the middle of an identifier.
  if (isLetter(text[offset - 1]) && isLetter(text[offset + run.length])) return run;
  const digits = run.replaceAll(/\D/g, '');
  if (isCard(digits)) return '[number]';
  const isShortPhone = digits.length === 7 && /^\d{3}[ .-]\d{4}$/.test(run);
  if (digits.length < 8 && !isShortPhone) return run;
  const bare = run.trim();
  if (DATE.test(bare) || REVERSED_DATE.test(bare) || EPOCH_TIME.test(bare) || IP_ADDRESS.test(bare)) return run;
  if (VERSION.test(bare) && !/^\d{3}\.\d{3}\.\d{4}$/.test(bare)) return run;
  // Dates, as in the id of a conversation: 20251008.
  if (/^20[12]\d(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01])$/.test(bare)) return run;
  return '[number]';
}

function isLetter(character: string | undefined): boolean {
  return character !== undefined && /[a-z]/i.test(character);
}

/** 13 to 19 digits with a valid Luhn check digit (ISO/IEC 7812). */
function isCard(digits: string): boolean {
  if (digits.length < 13 || digits.length > 19) return false;
  let sum = 0;
  for (let index = 0; index < digits.length; index += 1) {
    const digit = digits.charCodeAt(digits.length - 1 - index) - 48;
    const doubled = index % 2 === 1 ? digit * 2 : digit;
    sum += doubled > 9 ? doubled - 9 : doubled;
  }
  return sum % 10 === 0 && !EPOCH_TIME.test(digits);
}

const MAX_FAMILIAR_TEXTS = 2000;
const MAX_FAMILIAR_LENGTH = 200;
const familiarTexts = new Map<string, string>();

/** {@link redactErrorMessage} with a cache, for texts that recur, such as names of models and pipelines. */
export function redactFamiliarText(text: string): string {
  if (text.length > MAX_FAMILIAR_LENGTH) return redactErrorMessage(text);
  const familiar = familiarTexts.get(text);
  if (familiar !== undefined) return familiar;
  const masked = redactErrorMessage(text);
  if (familiarTexts.size >= MAX_FAMILIAR_TEXTS) familiarTexts.clear();
  familiarTexts.set(text, masked);
  return masked;
}

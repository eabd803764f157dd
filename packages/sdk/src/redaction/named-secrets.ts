export const SECRET_MASK = '[secret]';

/**
 * Words that mark a secret anywhere in a name: `DB_PASSWORD`, `accessToken`, `xi-api-key`, `connect.sid`. Further
 * checks look at a bounded part of the text around each match, so that the total time is linear.
 */
const NAMES =
  /pass(?:word|wd|phrase|wort|code)?|pwd|secret|token|(?:api|access|auth|private|signing|encryption|account|master|ssh|license|subscription|function|x)[ _.-]?key|auth(?!or(?!iz))(?:orization|entication)?|cookie|credentials?|sess(?:ion)?[ _.-]?(?:id|key)?|\bsid\b|jsessionid|phpsessid|connect\.sid|csrf|xsrf|jwt|bearer|\bsas\b|\botp\b|\bpin\b|\bcvv2?\b|\bcvc\b|\bnonce\b|\bsig(?:nature)?\b|\bcode\b|\bkey\b|kennwort|wachtwoord|lösenord|contraseña|senha|hasło|şifre|пароль|密码|密碼|パスワード|비밀번호/gi;

/** Names that mark a secret only in a query string or form: `?sig=…&code=…&key=…`. */
const QUERY_NAMES = /^(?:sig|signature|code|key|nonce|sid|sas|pass|auth|sess|session|jwt|pin|otp|cvv2?|cvc)$/i;
/** Words that mark a secret only as part of a longer name: `session_id`, `auth_token`. */
const WEAK_NAMES = /^(?:sess|session|auth|authentication|code|key|nonce|sig|signature|pass|pin)$/i;
/** Names whose value may contain spaces and extends to the end of the line. */
const HEADER_NAMES = /^(?:authorization|cookie)$/i;
/** Token counts, which are not secret. */
const COUNTS = /^(?:token)s\b|^tokens?[ _.-]?(?:count|limit|usage|budget)|^tokeni[sz]/i;

/** Placeholders for a missing value, and descriptions of what is wrong with one. */
const NOT_SECRET =
  /^(?:null|undefined|none|nil|true|false|required|missing|invalid|expired|empty|unset|error|failed|denied|not|is|was|must|cannot|unauthorized|forbidden|string|number|object|boolean|\*+|\[[a-z]+\]|<[a-z_ ]+>)$/i;

/**
 * Matches from the keyword to the value: the rest of the name, quotes (escaped or percent-encoded), a separator, and a
 * line break before a value in quotes, where Node.js breaks long objects.
 */
const TO_VALUE =
  /[\w.-]{0,40}(?: (?:provided|given|supplied|received|sent|used|value|is|was)){0,2}(?:\\{0,4}["'`]|%22|\]){0,2}[ \t\u00a0]{0,4}(=>|:=|=|:|：|＝|%3[dD]|%3[aA]|\\u003[daDA]|&#61;|>)(?:\r?\n[ \t]{0,16}(?=["'`])|[ \t\u00a0]{0,4}(?:%20|\+)?)/y;
/** From the keyword to a value in a list of names and values, such as the headers of undici: `'x-api-key', 'value'`. */
const TO_LISTED_VALUE = /[\w.-]{0,40}\\{0,4}["'`][ \t]{0,4},\s{0,16}(?=\\{0,4}["'`])/y;
const TO_NEXT_WORD = /[\w.-]{0,40}(?:\s+(?:is|was|of|for))?[ \t]{1,4}(?=[^\s])/y;
const OPENING_QUOTE = /(\\{0,4})(["'`])|%22/y;
const BARE_VALUE = /[^\s"'`,;&<>)\]}\\|]+/y;
/** Quotes belong to it only around parameters: `Digest username="bob", response="…"`. */
const LINE = /(?:=\\{0,4}"[^"\\\r\n]{0,512}\\{0,4}"(?=[\s,;'"\\})\]]|$)|[^\r\n"'`\\<>}])+/y;
/** The scheme of an `Authorization` header, which is not secret. */
const SCHEME = /(?:bearer|basic|token|digest|apikey|negotiate)[ \t]+/iy;
const MIN_SECRET_LENGTH = 3;

/** Masks every value whose name marks it as a secret. */
export function maskNamedSecrets(text: string): string {
  let masked = '';
  let done = 0;
  NAMES.lastIndex = 0;
  for (let match = NAMES.exec(text); match !== null; match = NAMES.exec(text)) {
    const at = match.index;
    const value = valueAfter(text, at, match[0]);
    if (value === undefined) continue;
    masked += text.slice(done, value.from) + SECRET_MASK;
    done = value.to;
    NAMES.lastIndex = Math.max(value.to, at + 1);
  }
  return done === 0 ? text : masked + text.slice(done);
}

interface Range {
  from: number;
  to: number;
}

function valueAfter(text: string, at: number, name: string): Range | undefined {
  if (COUNTS.test(text.slice(at, at + 24))) return undefined;
  const end = at + name.length;
  TO_VALUE.lastIndex = end;
  const separator = TO_VALUE.exec(text);
  if (separator === null) return listedValue(text, end, name) ?? valueInProse(text, at, name);
  if (separator[1] === '>' && text.lastIndexOf('<', at) < at - 60) return undefined;
  const isWhole = separator[0].length <= 12 && !/^[\w.-]/.test(separator[0]);
  const isPart = at > 0 && /[\w.-]/.test(text[at - 1]!);
  if (WEAK_NAMES.test(name) && isWhole && !isPart && !isInQuery(text, at, separator[1]!, name)) return undefined;
  const from = end + separator[0].length;
  if (HEADER_NAMES.test(name)) return lineFrom(text, from);
  return valueFrom(text, from, name);
}

function isInQuery(text: string, at: number, separator: string, name: string): boolean {
  if (!QUERY_NAMES.test(name)) return false;
  return (separator === '=' && (at === 0 || /[?&;\s"'([{]/.test(text[at - 1]!))) || /^(?:pass|pin)$/i.test(name);
}

function valueFrom(text: string, from: number, name: string): Range | undefined {
  OPENING_QUOTE.lastIndex = from;
  const quote = OPENING_QUOTE.exec(text);
  if (quote !== null) {
    const start = from + quote[0].length;
    const close = text.indexOf(quote[2] === undefined ? '%22' : `${quote[1]}${quote[2]}`, start);
    if (close !== -1) return isSecret(text.slice(start, close), name) ? { from: start, to: close } : undefined;
  }
  const start = quote === null ? from : from + quote[0].length;
  BARE_VALUE.lastIndex = start;
  // A full stop ends the sentence.
  const value = BARE_VALUE.exec(text)?.[0].replace(/\.$/, '');
  if (value === undefined) return undefined;
  // `Bearer <token>`, `Token <token>`: the scheme is not secret.
  const scheme = /^(?:bearer|basic|token|digest|apikey|key)$/i.test(value);
  if (scheme) return lineFrom(text, start + value.length + 1);
  return isSecret(value, name) ? { from: start, to: start + value.length } : undefined;
}

function lineFrom(text: string, from: number): Range | undefined {
  OPENING_QUOTE.lastIndex = from;
  const quote = OPENING_QUOTE.exec(text);
  let start = from + (quote?.[0].length ?? 0);
  SCHEME.lastIndex = start;
  start += SCHEME.exec(text)?.[0].length ?? 0;
  LINE.lastIndex = start;
  const line = LINE.exec(text)?.[0].trimEnd();
  return line === undefined || !isSecret(line, 'authorization') ? undefined : { from: start, to: start + line.length };
}

/** Lists may hold names only, such as those of missing fields, so that the value must not look like a word. */
function listedValue(text: string, end: number, name: string): Range | undefined {
  TO_LISTED_VALUE.lastIndex = end;
  if (WEAK_NAMES.test(name) || TO_LISTED_VALUE.exec(text) === null) return undefined;
  const value = valueFrom(text, TO_LISTED_VALUE.lastIndex, name);
  return value !== undefined && looksMade(text.slice(value.from, value.to)) ? value : undefined;
}

function looksMade(value: string): boolean {
  return value.length >= 5 && /\d/.test(value) && /[a-z]/i.test(value);
}

/** `password hunter22x`, `--token abc`: without a separator, a value counts only if it does not look like a word. */
function valueInProse(text: string, at: number, name: string): Range | undefined {
  TO_NEXT_WORD.lastIndex = at + name.length;
  const gap = TO_NEXT_WORD.exec(text);
  if (gap === null || (WEAK_NAMES.test(name) && !/^pass$/i.test(name))) return undefined;
  const start = TO_NEXT_WORD.lastIndex;
  OPENING_QUOTE.lastIndex = start;
  const from = start + (OPENING_QUOTE.exec(text)?.[0].length ?? 0);
  BARE_VALUE.lastIndex = from;
  const word = BARE_VALUE.exec(text)?.[0];
  if (word === undefined) return undefined;
  const isOption = text.slice(Math.max(0, at - 40), at).match(/(?:^|\s)--?[\w-]*$/) !== null;
  return (isOption && isSecret(word, name)) || looksMade(word) ? { from, to: from + word.length } : undefined;
}

function isSecret(value: string, name: string): boolean {
  if (value.length < MIN_SECRET_LENGTH || NOT_SECRET.test(value)) return false;
  // `token: 4096` is a count or a position.
  return !(/^(?:token|code|key|auth)$/i.test(name) && /^[\d.,:]{1,6}$/.test(value));
}

/** Whether an attribute key marks the whole value as a secret. */
export function namesSecret(key: string): boolean {
  return /pass(?:word|wd|phrase)|pwd|secret|(?:api|access|private|auth)[ _.-]?key|authorization|cookie|credential|(?:^|[ _.-])(?:access|auth|id|refresh|session|csrf|bearer)?[ _.-]?token$|(?:access|auth|refresh|session)token$/i.test(
    key,
  );
}

const MAX_LISTED_NAME_LENGTH = 64;

/**
 * Whether the text before `text` in a list marks it as a secret: an option of a command (`--password`), or the name of a
 * header. A list may also hold names only.
 */
export function isListedSecret(text: string, before: string): boolean {
  if (before.length > MAX_LISTED_NAME_LENGTH || !namesSecret(before)) return false;
  return before.startsWith('-') ? text !== '' && !text.startsWith('-') : looksMade(text);
}

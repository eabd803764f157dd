import { seededRandom } from '@convotel/suite';
import type { SeededRandom } from '@convotel/suite';

/** A text, and the parts of it that must not be readable afterwards. */
export interface LabelledText {
  kind: string;
  text: string;
  secrets: readonly string[];
}

const LETTERS = 'abcdefghijklmnopqrstuvwxyz';
const ALPHANUMERIC = `${LETTERS}${LETTERS.toUpperCase()}0123456789`;

function word(random: SeededRandom, length: number, letters = LETTERS): string {
  return Array.from({ length }, () => letters[random.whole(0, letters.length - 1)]).join('');
}

function password(random: SeededRandom): string {
  return `${word(random, random.whole(5, 9))}${random.whole(10, 99)}${random.pick(['', 'x', '!', '$w'])}`;
}

function key(random: SeededRandom): string {
  return `${word(random, 4, ALPHANUMERIC)}7${word(random, random.whole(8, 30), ALPHANUMERIC)}`;
}

function digits(random: SeededRandom, length: number): string {
  return `${random.whole(1, 9)}${word(random, length - 1, '0123456789')}`;
}

function card(random: SeededRandom): string {
  const body = `4${word(random, 14, '0123456789')}`;
  for (let last = 0; last < 10; last += 1) {
    const sum = `${body}${last}`
      .split('')
      .toReversed()
      .reduce((total, digit, index) => {
        const doubled = index % 2 === 1 ? Number(digit) * 2 : Number(digit);
        return total + (doubled > 9 ? doubled - 9 : doubled);
      }, 0);
    if (sum % 10 === 0) return `${body}${last}`;
  }
  throw new Error('unreachable');
}

function iban(random: SeededRandom): string {
  const country = random.pick(['DE', 'FR', 'NL', 'ES']);
  const account = digits(random, 18);
  const remainder = `${account}${country}00`.split('').reduce((rest, character) => {
    const value = Number.parseInt(character, 36);
    return (rest * (value > 9 ? 100 : 10) + value) % 97;
  }, 0);
  return `${country}${String(98 - remainder).padStart(2, '0')}${account}`;
}

function inGroups(text: string, size: number, separator: string): string {
  return text.match(new RegExp(`.{1,${size}}`, 'g'))!.join(separator);
}

const SECRET_NAMES = [
  'password', 'PASSWORD', 'passwd', 'pwd', 'db_password', 'DB_PASSWORD', 'dbPassword', 'user.password', 'secret', 'client_secret',
  'clientSecret', 'CLIENT_SECRET', 'api_key', 'apiKey', 'API-KEY', 'OPENAI_API_KEY', 'ANTHROPIC_API_KEY', 'x-api-key', 'xi-api-key',
  'access_token', 'accessToken', 'refresh_token', 'id_token', 'auth_token', 'session_token', 'token', 'AWS_SECRET_ACCESS_KEY',
  'aws_session_token', 'private_key', 'signing_key', 'encryption_key', 'passphrase', 'credential', 'bot_token', 'SLACK_BOT_TOKEN',
]; // prettier-ignore

const AROUND = [
  '',
  'Error: ',
  'request failed: ',
  'could not log in with ',
  'upstream said ',
  '[2025-10-08T14:30:22Z] ',
  'while calling tool: ',
];

type Maker = (random: SeededRandom) => LabelledText;

const named =
  (kind: string, write: (name: string, value: string) => string): Maker =>
  (random) => {
    const value = random.pick([password, key])(random);
    return { kind, text: `${random.pick(AROUND)}${write(random.pick(SECRET_NAMES), value)}`, secrets: [value] };
  };

const MAKERS: readonly Maker[] = [
  named('name=value', (name, value) => `${name}=${value}`),
  named('name: value', (name, value) => `${name}: ${value}`),
  named('JSON', (name, value) => JSON.stringify({ user: 'x', [name]: value, ok: true })),
  named('JSON in JSON', (name, value) => JSON.stringify({ body: JSON.stringify({ [name]: value }) })),
  named('Python', (name, value) => `{'user': 'x', '${name}': '${value}'}`),
  named('query', (name, value) => `GET https://api.example.com/v1/x?model=a&${name}=${value}&n=1 failed`),
  named('form', (name, value) => `grant=x&${name}=${value}`),
  named('environment', (name, value) => `env: { PATH: '/bin', ${name}: '${value}' }`),
  named('option', (name, value) => `spawn tool --${name.toLowerCase()}=${value} ENOENT`),
  named('option with a space', (name, value) => `spawn tool --${name.toLowerCase()} ${value} ENOENT`),
  (random) => {
    const value = key(random);
    const scheme = random.pick(['Bearer', 'Token', 'bearer', 'Basic', 'ApiKey']);
    return {
      kind: 'authorization',
      text: `${random.pick(['Authorization', 'authorization', 'Proxy-Authorization'])}: ${scheme} ${value}`,
      secrets: [value],
    };
  },
  (random) => {
    const value = key(random);
    return {
      kind: 'headers as JSON',
      text: JSON.stringify({ headers: { authorization: `Bearer ${value}`, accept: '*/*' } }),
      secrets: [value],
    };
  },
  (random) => {
    const values = [key(random), key(random)];
    return {
      kind: 'cookie',
      text: `Cookie: theme=dark; ${random.pick(['session', 'sid', 'connect.sid', 'JSESSIONID'])}=${values[0]}; csrf=${values[1]}`,
      secrets: values,
    };
  },
  (random) => {
    const value = key(random);
    return { kind: 'set-cookie', text: `set-cookie: id=${value}; Path=/; HttpOnly`, secrets: [value] };
  },
  (random) => {
    const value = password(random);
    const scheme = random.pick(['https', 'postgres', 'redis', 'mongodb+srv', 'amqp', 'ftp']);
    return {
      kind: 'address',
      text: `connect to ${scheme}://${random.pick(['bob', 'admin', ''])}:${value}@db.example:5432/x refused`,
      secrets: [value],
    };
  },
  (random) => {
    const value = `${word(random, 5)}@${word(random, 4)}7`;
    return { kind: 'address with @ in the password', text: `postgres://bob:${value}@db/x`, secrets: [value] };
  },
  (random) => {
    const value = `${random.pick(['sk-', 'sk-proj-', 'sk-ant-api03-', 'ghp_', 'github_pat_', 'xoxb-', 'AKIA', 'AIza', 'hf_', 'gsk_', 'glpat-', 'npm_', 'sk_live_', 'whsec_', 'SG.'])}${key(random)}${key(random)}`;
    return {
      kind: 'issued key',
      text: `${random.pick(AROUND)}Incorrect key provided: ${value}. See the docs.`,
      secrets: [value],
    };
  },
  (random) => {
    const value = `eyJ${word(random, 20, ALPHANUMERIC)}.eyJ${word(random, 40, ALPHANUMERIC)}.${word(random, 30, ALPHANUMERIC)}`;
    return { kind: 'JWT', text: `jwt ${value} has expired`, secrets: [value] };
  },
  (random) => {
    const local = `${word(random, random.whole(2, 8))}${random.pick(['', '.', '+', '_', '-'])}${word(random, 4)}`;
    const domain = `${word(random, 6)}.${random.pick(['com', 'co.uk', 'de', 'example', 'museum'])}`;
    const [open, close] = random.pick([
      ['', ''],
      ['<', '>'],
      ['"', '"'],
      ['(', ')'],
      ['mailto:', ''],
    ] as const);
    return {
      kind: 'e-mail',
      text: `${random.pick(AROUND)}no account for ${open}${local}@${domain}${close} here`,
      secrets: [`${local}@${domain}`, local],
    };
  },
  (random) => {
    const local = `jö${word(random, 4)}`;
    return { kind: 'e-mail beyond ASCII', text: `${local}@exämple.de is unknown`, secrets: [local] };
  },
  (random) => {
    const local = word(random, 7);
    return { kind: 'e-mail in an address', text: `GET /users?q=${local}%40example.com 404`, secrets: [local] };
  },
  (random) => {
    const [a, b, c] = [digits(random, 3), digits(random, 3), digits(random, 4)];
    const text = random.pick([
      `(${a}) ${b}-${c}`,
      `${a}-${b}-${c}`,
      `${a}.${b}.${c}`,
      `+1 ${a} ${b} ${c}`,
      `+1-${a}-${b}-${c}`,
      `+1${a}${b}${c}`,
      `+1 (${a}) ${b}-${c}`,
      `${a} ${b} ${c}`,
    ]);
    return {
      kind: 'phone, US',
      text: `${random.pick(AROUND)}call ${text} now`,
      secrets: [text, `${b}-${c}`, `${b} ${c}`],
    };
  },
  (random) => {
    const number = digits(random, 7);
    const text = random.pick([
      `+49 170 ${number}`,
      `+49170${number}`,
      `0049 170 ${number}`,
      `0170/${number}`,
      `0170 ${inGroups(number, 2, ' ')}`,
      `+44 20 ${inGroups(number, 4, ' ')}1`,
      `+49 (0)30 ${number}`,
    ]);
    return { kind: 'phone, elsewhere', text: `caller ${text} hung up`, secrets: [text] };
  },
  (random) => {
    const number = card(random);
    const text = random.pick([number, inGroups(number, 4, ' '), inGroups(number, 4, '-')]);
    return { kind: 'card', text: `${random.pick(AROUND)}card ${text} was declined`, secrets: [text] };
  },
  (random) => {
    const number = iban(random);
    const text = random.pick([number, inGroups(number, 4, ' '), number.toLowerCase()]);
    return { kind: 'IBAN', text: `transfer to ${text} failed`, secrets: [text] };
  },
  (random) => {
    const body = `${word(random, 64, ALPHANUMERIC)}\n${word(random, 30, ALPHANUMERIC)}`;
    const kind = random.pick(['', 'RSA ', 'EC ', 'OPENSSH ', 'ENCRYPTED ']);
    return {
      kind: 'private key',
      text: `bad key -----BEGIN ${kind}PRIVATE KEY-----\n${body}\n-----END ${kind}PRIVATE KEY----- given`,
      secrets: [body, body.slice(0, 20)],
    };
  },
  (random) => {
    const value = password(random);
    return {
      kind: 'prose',
      text: `${random.pick(['wrong password', 'my password is', 'the password was', 'passphrase'])} ${value}`,
      secrets: [value],
    };
  },
  (random) => {
    const value = key(random);
    return {
      kind: 'signature in a query',
      text: `https://blob.example/x?sv=2021&${random.pick(['sig', 'signature', 'X-Amz-Signature', 'key', 'code'])}=${value}&se=2`,
      secrets: [value],
    };
  },
];

/** Shapes as they were seen in logs and issues, written by hand. */
const BY_HAND: readonly LabelledText[] = [
  ['missing scope for DB_PASSWORD=hunter22x', 'hunter22x'],
  ['redis://:hunter22x@cache:6379', 'hunter22x'],
  ['Authorization: Token Zx9kQwLmNpRt', 'Zx9kQwLmNpRt'],
  ['-----BEGIN PRIVATE KEY-----MIIEvQIBADANBg', 'MIIEvQIBADANBg'],
  ['https://api.example/v1?sig=Zx9kQwLmNpRt&x=1', 'Zx9kQwLmNpRt'],
  ['<password>hunter22x</password>', 'hunter22x'],
  ['Server=db;User Id=sa;Password=hunter22x;Encrypt=true', 'hunter22x'],
  ['%7B%22password%22%3A%22hunter22x%22%7D', 'hunter22x'],
  ['curl -H "xi-api-key: Zx9kQwLmNpRt" https://api', 'Zx9kQwLmNpRt'],
  ["headers: { 'X-Auth-Token': 'Zx9kQwLmNpRt' }", 'Zx9kQwLmNpRt'],
  ['password: "two words 7"', 'two words 7'],
  ['secret_key_base: Zx9kQwLmNpRt', 'Zx9kQwLmNpRt'],
  ['{"token":{"value":"x"},"apikey":"Zx9kQwLmNpRt"}', 'Zx9kQwLmNpRt'],
  ['cvv: 123, card 4111 1111 1111 1111', '4111 1111 1111 1111'],
  ['user bob@example.com (id 7) said hello', 'bob@example.com'],
  ['aws wJalrXUtnFEMIK7MDENG8bPxRfiCYEXAMPLEKEY', 'wJalrXUtnFEMIK7MDENG8bPxRfiCYEXAMPLEKEY'],
  [
    'Authorization: Digest username="bob7", response="6629fae49393a05397450978507c4ef1"',
    '6629fae49393a05397450978507c4ef1',
  ],
].map(([text, secret]) => ({ kind: 'by hand', text: text!, secrets: [secret!] }));

export function labelledTexts(seed: number, each = 20): LabelledText[] {
  const random = seededRandom(seed);
  return [...BY_HAND, ...MAKERS.flatMap((make) => Array.from({ length: each }, () => make(random)))];
}

/** Texts without anything to hide, that look as if. What is masked in them is a false alarm. */
export function lookAlikes(seed: number, each = 15): string[] {
  const random = seededRandom(seed);
  const makers: ((r: SeededRandom) => string)[] = [
    (r) => `order ${r.whole(1000, 9_999_999)} not found`,
    (r) => `version ${r.whole(0, 30)}.${r.whole(0, 99)}.${r.whole(0, 999)} is not supported`,
    (r) => `at 2025-${String(r.whole(10, 12))}-${String(r.whole(10, 28))}T14:30:${r.whole(10, 59)}.123Z`,
    (r) => `since 17${digits(r, 8)}`,
    (r) => `took ${r.whole(1, 99_999)} ms, limit ${r.whole(1, 99_999)}`,
    (r) => `connect ECONNREFUSED 10.0.${r.whole(0, 255)}.${r.whole(0, 255)}:5432`,
    (r) => `HTTP ${r.whole(400, 599)}: max_tokens: ${r.whole(1, 9999)}, token count ${r.whole(1, 9999)}`,
    () => 'Unexpected token \'<\', "<!DOCTYPE "... is not valid JSON',
    () => 'password is required',
    () => 'invalid token: expired',
    () => 'the secret ingredient is missing',
    (r) => `request 550e8400-e29b-41d4-a716-${word(r, 12, '0123456789abcdef')} failed`,
    () => 'Error: cannot find module /usr/lib/node_modules/@scope/package/dist/Index2.js',
    (r) => `conversation 202510${r.whole(10, 28)}_143022 is over`,
    () => 'the key to success is a good code review',
    (r) => `row ${r.whole(1, 999)} of ${r.whole(1000, 99_999)}, column ${r.whole(1, 99)}`,
    () => 'author: Jane, session: morning',
    () => 'gpt-4o-2024-08-06 is overloaded',
  ];
  return makers.flatMap((make) => Array.from({ length: each }, () => make(random)));
}

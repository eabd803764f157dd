import { expect, test } from '@jest/globals';
import { redactErrorMessage } from '@convotel/sdk';

test.each([
  ['no user bob.smith+x@mail.example.co.uk here', 'no user [email] here'],
  ['Authorization: Bearer abc.def-123_456', 'Authorization: Bearer [secret]'],
  ['Incorrect API key provided: sk-proj-abcdEFGH12345678', 'Incorrect API key provided: [secret]'],
  ['Incorrect API key provided: sk-****************wxyz.', 'Incorrect API key provided: [secret].'],
  ['api_key=abcd1234&model=x', 'api_key=[secret]&model=x'],
  ['{"password": "hunter22"}', '{"password": "[secret]"}'],
  ['cannot reach https://user:pa55word@host/path', 'cannot reach https://[secret]@host/path'],
  ['token eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.sig expired', 'token [secret] expired'],
  ['key ghp_0123456789abcdefABCDEF', 'key [secret]'],
  ['id 0123456789abcdef0123456789abcdef', 'id [secret]'],
  ['call +49 170 1234567 failed', 'call [number] failed'],
  ['card 4111-1111-1111-1111 refused', 'card [number] refused'],
  ['Authorization=Token token="Zq7xK2mV"', 'Authorization=Token [secret]'],
  [`authorization: 'Digest username="bob", response="6629fae4"'`, "authorization: 'Digest [secret]'"],
  [
    'curl -H "Authorization: Bearer Zq7xK2=" "https://host/path"',
    'curl -H "Authorization: Bearer [secret]" "https://host/path"',
  ],
  [
    "rawHeaders: [ 'x-api-key', 'Zq7xK2mV', 'accept', '*/*' ]",
    "rawHeaders: [ 'x-api-key', '[secret]', 'accept', '*/*' ]",
  ],
  ['[["authorization","Zq7xK2mV"]]', '[["authorization","[secret]"]]'],
  ['Incorrect API key provided: Zq7xK2mV.', 'Incorrect API key provided: [secret].'],
  ["{\n  password:\n    'correct horse battery'\n}", "{\n  password:\n    '[secret]'\n}"],
  ['password\u00a0=\u00a0hunter22', 'password\u00a0=\u00a0[secret]'],
  ['token\\u003dZq7xK2mV\\u0026x=1', 'token\\u003d[secret]\\u0026x=1'],
  ['contraseña: Zq7xK2mV, пароль: Zq7xK2mV', 'contraseña: [secret], пароль: [secret]'],
  ['密码：hunter', '密码：[secret]'],
  ['Your verification code is 482913', 'Your verification code is [secret]'],
  ['one-time password 482913, otp 123456, pin 4711', 'one-time password [secret], otp [secret], pin [secret]'],
  ['no answer from app:pa55word@db:5432/calls', 'no answer from app:[secret]@db:5432/calls'],
  ['no answer from //app:p$55word@db.local:5432', 'no answer from //app:[secret]@db.local:5432'],
  ['Command failed: curl -u bob:hunter https://host', 'Command failed: curl -u bob:[secret] https://host'],
  ['Command failed: mysqldump -h db -uroot -phunter calls', 'Command failed: mysqldump -h db -uroot -p[secret] calls'],
  [
    'sshpass -p hunter ssh host; redis-cli -h cache -a hunter ping',
    'sshpass -p [secret] ssh host; redis-cli -h cache -a [secret] ping',
  ],
  [
    'order 550e8400-e29b-41d4-a716-446655440000: +49 170 1234567',
    'order 550e8400-e29b-41d4-a716-446655440000: [number]',
  ],
])('%s', (message, redacted) => {
  expect(redactErrorMessage(message)).toBe(redacted);
});

test.each([
  'API rate limit exceeded',
  'connect ECONNREFUSED 127.0.0.1:4318',
  'Request took 12345 ms, limit is 10000',
  'HTTP 429: too many tokens, 128000 allowed',
  'request 550e8400-e29b-41d4-a716-446655440000 failed',
  'no session 123E4567-E89B-12D3-A456-F26614174000, 3 tried',
  'conversation 20251008_143000_0123456789abcdef failed',
  'to:bob-the-builder 12:30@home',
  'missing fields: ["password", "token", "email"]',
  'no tag for npm:left-pad@latest, nor app:stable@sha256:0f3a',
  'exit code 4711, error code: 1045, status code 500',
  'docker run -u 1000:1000 image, mkdir -p folder, mysql -p failed',
])('leaves alone: %s', (message) => {
  expect(redactErrorMessage(message)).toBe(message);
});

import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from '@jest/globals';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { SETTINGS } from '../../src/settings/settings.ts';

const SCHEMA_PATH = fileURLToPath(new URL('../../schema/convotel.schema.json', import.meta.url));

/** The schema for editors, made from the settings themselves; `CONVOTEL_WRITE_SCHEMA=1` writes the file anew. */
const generated = {
  $schema: 'https://json-schema.org/draft/2020-12/schema',
  title: 'convotel.json',
  description:
    'Settings of the convotel command. A time is a text such as "8s" or "1h30m", or a number of milliseconds.',
  ...SETTINGS.schema,
};

test('the schema for editors is that of the settings', () => {
  if (process.env['CONVOTEL_WRITE_SCHEMA'] === '1') {
    writeFileSync(SCHEMA_PATH, `${JSON.stringify(generated, null, 2)}\n`);
  }
  expect(JSON.parse(readFileSync(SCHEMA_PATH, 'utf8'))).toEqual(JSON.parse(JSON.stringify(generated)));
});

const isValid = new Ajv2020({ strict: true, allowUnionTypes: true }).compile(generated);

const EVERYTHING = {
  $schema: './node_modules/convotel/schema/convotel.schema.json',
  from: 'localhost:16686',
  service: 'voice-bot',
  tz: 'Europe/Berlin',
  conversation: { target: '7s', threshold: 5000 },
  steps: { think: { kind: 'language_model', target: '3s', threshold: '8s' } },
  kinds: { speech_to_text: { target: '1.5s' } },
  currency: 'USD',
  prices: { 'gpt-4o': { inputPerMillionTokens: 2.5, outputPerMillionTokens: 10 }, whisper: { perAudioMinute: 0.006 } },
  watch: {
    since: '1h',
    interval: '5m',
    for: '10m',
    minSamples: 20,
    rules: [
      { rule: 'error-rate', step: 'think', above: 5, clearBelow: 3 },
      { rule: 'p95', step: 'think', above: '8s', minSamples: 5, for: '1m' },
      { rule: 'slow-conversations', threshold: '8s', above: 3 },
      { rule: 'no-conversations' },
    ],
  },
};

test('everything that can be set is read, and an editor agrees', () => {
  expect(SETTINGS.read(EVERYTHING, '')).toEqual({ ...EVERYTHING, conversation: { target: '7s', threshold: '5000ms' } });
  expect(isValid(EVERYTHING)).toBe(true);
  expect(SETTINGS.read({}, '')).toEqual({});
});

describe('a setting that is wrong is named, and an editor marks it', () => {
  test.each<[unknown, string]>([
    [[], 'The file must be an object in curly brackets, got [].'],
    [{ form: 'local' }, 'form is not a setting. Settings: $schema, from, service, tz,'],
    [{ service: '' }, 'service must be a text, got "".'],
    [{ conversation: { target: 'soon' } }, 'conversation.target must be a time such as "8s"'],
    [{ conversation: { target: -1 } }, 'conversation.target must be a time such as "8s"'],
    [
      { conversation: { targetMs: 7 } },
      'conversation.targetMs is not a setting. Settings below conversation: target, threshold.',
    ],
    [{ steps: { gpt: { kind: 'llm' } } }, 'steps.gpt.kind must be one of capture, speech_to_text,'],
    [{ steps: { gpt: '3s' } }, 'steps.gpt must be an object in curly brackets, got "3s".'],
    [{ kinds: { gpt: {} } }, 'kinds.gpt is not a setting. Settings below kinds: capture,'],
    [
      { prices: { m: { inputPerMillionTokens: '2' } } },
      'prices.m.inputPerMillionTokens must be a number of 0 or more, got "2".',
    ],
    [{ watch: { minSamples: 0.5 } }, 'watch.minSamples must be a whole number of 1 or more, got 0.5.'],
    [{ watch: { rules: {} } }, 'watch.rules must be a list in square brackets, got {}.'],
    [{ watch: { rules: [{ rule: 'p95' }, { rule: 'p50' }] } }, 'watch.rules[1].rule must be one of error-rate, p95,'],
    [{ steps: { __proto__: null, constructor: { toString: 1 } } }, 'steps.constructor.toString is not a setting.'],
  ])('%j', (settings, message) => {
    expect(() => SETTINGS.read(settings, '')).toThrow(message);
    expect(isValid(settings)).toBe(false);
  });

  test('a time zone that does not exist', () => {
    expect(() => SETTINGS.read({ tz: 'Mars/Olympus' }, '')).toThrow(
      'tz must be an IANA time zone such as "Europe/Berlin", got "Mars/Olympus".',
    );
  });
});

import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { correlation, explain, MemorySource, satisfaction } from '@convotel/query';
import type { ConversationSource } from '@convotel/query';
import { DAY, exampleConversations } from '../../packages/query/test/answers/example-conversations.ts';
import { ROOT } from './code-blocks.ts';

const schema = JSON.parse(await readFile(join(ROOT, 'packages/cli/schema/answers.schema.json'), 'utf8')) as object;
const ajv = new Ajv2020({ strict: true, allowUnionTypes: true });
ajv.addSchema(schema, 'answers');
const asked = { window: DAY, timeZone: 'UTC' };

/** Answers of the library, whether or not a command prints them. */
const ANSWERS: Readonly<Record<string, (source: ConversationSource) => Promise<{ command: string }>>> = {
  satisfaction: (source) => satisfaction(source, asked),
  correlation: (source) => correlation(source, asked),
};

describe.each(Object.entries(ANSWERS))('%s', (name, answer) => {
  test.each([
    ['conversations', exampleConversations()],
    ['nothing', new MemorySource([])],
  ])('is what the schema says, over %s', async (_what, source) => {
    const report = JSON.parse(JSON.stringify(await answer(source))) as { command: string; data: object };
    expect(report.command).toBe(name);
    for (const described of [`answers#/$defs/answers/${name}`, 'answers']) {
      const validate = ajv.getSchema(described)!;
      expect({ isValid: validate(report), errors: validate.errors }).toEqual({ isValid: true, errors: null });
    }
    const withMore = { ...report, data: { ...report.data, surplus: 1 } };
    expect(ajv.getSchema(`answers#/$defs/answers/${name}`)!(withMore)).toBe(false);
  });
});

test.each(['20251008_143022_a1b2c3d4', '20251008_143101_m3n4o5p6'])(
  'explain is what the schema says: %s',
  async (id) => {
    const report = await explain(exampleConversations(), { conversationId: id, timeZone: 'UTC' });
    const json = JSON.parse(JSON.stringify(report)) as { data: object };
    for (const described of ['answers#/$defs/answers/explain', 'answers']) {
      const validate = ajv.getSchema(described)!;
      expect({ isValid: validate(json), errors: validate.errors }).toEqual({ isValid: true, errors: null });
      expect(validate({ ...json, data: { ...json.data, surplus: 1 } })).toBe(false);
    }
  },
);

import { codedError, OUTCOMES } from '@convotel/conventions';
import type { ConversationFilters, ConversationOutcome, Window } from '../../model/conversation.ts';
import { MAX_GROUPS } from '../../model/groups.ts';
import type { GroupBy } from '../../model/groups.ts';
import { recordOf } from '../../model/numbers.ts';
import { MAX_QUESTION_LIMIT } from '../../questions.ts';
import { formatInstant, parseInstant, zoneOffsetSeconds } from '../../time/instant.ts';

/** Every outcome that a conversation can have. */
export const CONVERSATION_OUTCOMES: readonly ConversationOutcome[] = [...OUTCOMES, 'open'];

/** A URL that is not a valid question, or asks for too much; the message has the reason. */
export class QuestionFormatError extends codedError('QuestionFormatError') {
  constructor(message: string, options?: ErrorOptions) {
    super('QUESTION_MALFORMED', message, options);
  }
}

/** Conversion of one field of a question to and from URL parameters. */
export interface ParameterForm<Value> {
  /** Name and value of each parameter; empty for an absent value. */
  write(value: Value): [name: string, text: string][];
  /** The value; undefined if it is optional and absent. @throws {@link QuestionFormatError} */
  read(parameters: QuestionParameters): Value;
}

/** The query parameters of one question. Parameters that were not read are an error in the end. */
export class QuestionParameters {
  readonly #query: URLSearchParams;
  readonly #read = new Set<string>();

  constructor(query: URLSearchParams) {
    this.#query = query;
  }

  /** All values of `name`, parsed. */
  all<Value>(name: string, parse: (text: string) => Value): Value[] {
    this.#read.add(name);
    return this.#query.getAll(name).map((text) => {
      try {
        return parse(text);
      } catch (error) {
        throw new QuestionFormatError(`parameter ${name}: ${(error as Error).message}`, { cause: error });
      }
    });
  }

  /** The value of `name`; undefined if it is absent. */
  find<Value>(name: string, parse: (text: string) => Value): Value | undefined {
    const values = this.all(name, parse);
    if (values.length > 1) throw new QuestionFormatError(`parameter ${name} is given ${values.length} times`);
    return values[0];
  }

  /** The value of `name`, which is required. */
  get<Value>(name: string, parse: (text: string) => Value): Value {
    const value = this.find(name, parse);
    if (value === undefined) throw new QuestionFormatError(`parameter ${name} is missing`);
    return value;
  }

  /** @throws {@link QuestionFormatError} if there is a parameter that was not read. */
  refuseUnread(): void {
    for (const name of this.#query.keys()) {
      if (!this.#read.has(name)) throw new QuestionFormatError(`parameter ${name} is unknown here`);
    }
  }
}

/** A required field, in the parameter `name`. */
export function required<Value>(
  name: string,
  parse: (text: string) => Value,
  write: (value: Value) => string = String,
): ParameterForm<Value> {
  return {
    write: (value) => [[name, write(value)]],
    read: (parameters) => parameters.get(name, parse),
  };
}

/** An optional field, in the parameter `name`. */
export function optional<Value>(name: string, parse: (text: string) => Value): ParameterForm<Value | undefined> {
  return {
    write: (value) => (value === undefined ? [] : [[name, String(value)]]),
    read: (parameters) => parameters.find(name, parse),
  };
}

/** A list, with one parameter per element; an empty list is absent. */
export function repeated<Value>(
  name: string,
  parse: (text: string) => Value,
  maxCount: number,
): ParameterForm<readonly Value[] | undefined> {
  return {
    write: (values = []) => values.map((value) => [name, String(value)]),
    read: (parameters) => {
      const values = parameters.all(name, parse);
      if (values.length > maxCount) {
        throw new QuestionFormatError(`parameter ${name} is given more than ${maxCount} times`);
      }
      return values.length === 0 ? undefined : values;
    },
  };
}

/** The window, in `since` and `until`: RFC 3339 in UTC with 9 decimals. */
export const WINDOW: ParameterForm<Window> = {
  write: ({ sinceUnixNano, untilUnixNano }) => [
    ['since', formatInstant(sinceUnixNano, 9)],
    ['until', formatInstant(untilUnixNano, 9)],
  ],
  read: (parameters) => ({
    sinceUnixNano: parameters.get('since', parseInstant),
    untilUnixNano: parameters.get('until', parseInstant),
  }),
};

/** {@link WINDOW}, or no window. */
export const OPTIONAL_WINDOW: ParameterForm<Window | undefined> = {
  write: (window) => (window === undefined ? [] : WINDOW.write(window)),
  read: (parameters) => {
    const isGiven = parameters.find('since', asText) !== undefined || parameters.find('until', asText) !== undefined;
    return isGiven ? WINDOW.read(parameters) : undefined;
  },
};

/** One parameter per filter. */
export const FILTERS: ParameterForm<ConversationFilters | undefined> = {
  write: (filters = {}) =>
    FILTER_NAMES.flatMap((name) => {
      const value = filters[name];
      return value === undefined ? [] : [[name, value] as [string, string]];
    }),
  read: (parameters) => {
    const entries = FILTER_NAMES.map((name) => [
      name,
      parameters.find(name, name === 'outcome' ? oneOf(CONVERSATION_OUTCOMES) : asText),
    ]).filter(([, value]) => value !== undefined);
    return entries.length === 0 ? undefined : (Object.fromEntries(entries) as ConversationFilters);
  },
};

const FILTER_NAMES = ['service', 'workflow', 'session', 'outcome'] as const satisfies (keyof ConversationFilters)[];

/** The attribute in `groupBy`, and each of its values in a parameter `group`. */
export const GROUP_BY: ParameterForm<GroupBy | undefined> = {
  write: (groupBy) =>
    groupBy === undefined
      ? []
      : [['groupBy', groupBy.attribute], ...groupBy.values.map((value): [string, string] => ['group', value])],
  read: (parameters) => {
    const attribute = parameters.find('groupBy', asText);
    const values = repeated('group', asText, MAX_GROUPS).read(parameters) ?? [];
    if (attribute !== undefined) return { attribute, values };
    if (values.length > 0) throw new QuestionFormatError('parameter group is given without groupBy');
    return undefined;
  },
};

export function asText(text: string): string {
  return text;
}

export function oneOf<Choice extends string>(choices: readonly Choice[]): (text: string) => Choice {
  return (text) => {
    const choice = choices.find((candidate) => candidate === text);
    if (choice === undefined) throw new QuestionFormatError(`"${text}" is not one of ${choices.join(', ')}`);
    return choice;
  };
}

export function asBoolean(text: string): boolean {
  return oneOf(['true', 'false'])(text) === 'true';
}

export function asLimit(text: string): number {
  const limit = /^\d{1,6}$/.test(text) ? Number(text) : Number.NaN;
  if (!(limit >= 1 && limit <= MAX_QUESTION_LIMIT)) {
    throw new QuestionFormatError(`"${text}" is not a whole number from 1 to ${MAX_QUESTION_LIMIT}`);
  }
  return limit;
}

/** A number from 0 to 1. */
export function asProbability(text: string): number {
  const probability = /^\d/.test(text) ? Number(text) : Number.NaN;
  if (!(probability >= 0 && probability <= 1)) throw new QuestionFormatError(`"${text}" is not a number from 0 to 1`);
  return probability;
}

export function asNanoseconds(text: string): bigint {
  if (!/^-?\d{1,18}$/.test(text)) throw new QuestionFormatError(`"${text}" is not a whole number of nanoseconds`);
  return BigInt(text);
}

/** @throws `TimeError` if this Node.js does not know the zone. */
export function asTimeZone(text: string): string {
  zoneOffsetSeconds(0, text);
  return text;
}

/** JSON of a value: 64-bit integers as decimal strings, the infinities as strings, typed arrays as arrays. */
export function encodeValue(value: unknown): string {
  return JSON.stringify(value, (_key, field: unknown) => {
    if (typeof field === 'bigint') return field.toString();
    if (typeof field === 'number' && Math.abs(field) === Infinity) return String(field);
    if (field instanceof BigInt64Array || field instanceof Float64Array) return Array.from<unknown>(field);
    if (field instanceof Uint8Array || field instanceof Uint32Array) return Array.from(field);
    return field;
  });
}

/** Reads a value from parsed JSON; `place` is its path in the document. @throws {@link AnswerFormatError} */
export type Reader<Value> = (json: unknown, place: string) => Value;

type ValueOf<SomeReader> = SomeReader extends Reader<infer Value> ? Value : never;
type Readers = Readonly<Record<string, Reader<unknown>>>;

/** JSON that is not a valid answer to the question; the message has the path and the reason. */
export class AnswerFormatError extends codedError('AnswerFormatError') {
  constructor(message: string, options?: ErrorOptions) {
    super('ANSWER_MALFORMED', message, options);
  }
}

export const readText: Reader<string> = (json, place) => {
  if (typeof json !== 'string') throw isNot('a string', place);
  return json;
};

export const readBoolean: Reader<boolean> = (json, place) => {
  if (typeof json !== 'boolean') throw isNot('a boolean', place);
  return json;
};

/** NaN, which JSON does not have, is null; the infinities are strings. */
export const readNumber: Reader<number> = (json, place) => {
  if (typeof json === 'number') return json;
  if (json === null) return Number.NaN;
  if (json === 'Infinity' || json === '-Infinity') return Number(json);
  throw isNot('a number', place);
};

/** A 64-bit integer as a decimal string. */
export const readBigint: Reader<bigint> = (json, place) => {
  if (typeof json !== 'string' || !/^-?\d+$/.test(json)) throw isNot('a whole number in a string', place);
  return BigInt(json);
};

/** An array of numbers, as a typed array. */
export const readFloats: Reader<Float64Array> = (json, place) =>
  Float64Array.from(readArrayOf(readNumber)(json, place));

/** Any JSON, unchecked. */
export const readAnything: Reader<unknown> = (json) => json;

export function readOneOf<const Choice extends string>(choices: readonly Choice[]): Reader<Choice> {
  return (json, place) => {
    const choice = choices.find((candidate) => candidate === json);
    if (choice === undefined) throw isNot(choices.join(' or '), place);
    return choice;
  };
}

export function readArrayOf<Value>(readItem: Reader<Value>): Reader<Value[]> {
  return (json, place) => {
    if (!Array.isArray(json)) throw isNot('an array', place);
    return json.map((item, index) => readItem(item, `${place}[${index}]`));
  };
}

/** An object with any keys, whose values are all of one type. */
export function readRecordOf<Value>(readValue: Reader<Value>): Reader<Record<string, Value>> {
  return (json, place) =>
    recordOf(
      Object.entries(asObject(json, place)).map(([key, value]): [string, Value] => [
        key,
        readValue(value, `${place}.${key}`),
      ]),
    );
}

/** An object with `required` and possibly `optional` fields; others are ignored. */
export function readObject<Required extends Readers, Optional extends Readers>(
  required: Required,
  optional: Optional,
): Reader<{ [Key in keyof Required]: ValueOf<Required[Key]> } & { [Key in keyof Optional]?: ValueOf<Optional[Key]> }> {
  const fields = Object.entries({ ...required, ...optional });
  return (json, place) => {
    const object = asObject(json, place);
    const result: Record<string, unknown> = {};
    for (const [key, read] of fields) {
      if (Object.hasOwn(object, key)) result[key] = read(object[key], `${place}.${key}`);
      else if (Object.hasOwn(required, key)) throw new AnswerFormatError(`${place}.${key} is missing`);
    }
    return result as ReturnType<ReturnType<typeof readObject<Required, Optional>>>;
  };
}

function asObject(json: unknown, place: string): Record<string, unknown> {
  if (typeof json !== 'object' || json === null || Array.isArray(json)) throw isNot('an object', place);
  return json as Record<string, unknown>;
}

function isNot(kind: string, place: string): AnswerFormatError {
  return new AnswerFormatError(`${place} is not ${kind}`);
}

import { codedError, OUTCOMES } from '@convotel/conventions';
import type { ConversationFilters, ConversationOutcome, Window } from '../../model/conversation.ts';
import { MAX_GROUPS } from '../../model/groups.ts';
import type { GroupBy } from '../../model/groups.ts';
import { MAX_QUESTION_LIMIT } from '../../questions.ts';
import { formatInstant, parseInstant, zoneOffsetSeconds } from '../../time/instant.ts';

/** Every outcome that a conversation can have. */
export const CONVERSATION_OUTCOMES: readonly ConversationOutcome[] = [...OUTCOMES, 'open'];

/** A URL that is not a question, or asks for too much; the message gives the reason. */
export class QuestionFormatError extends codedError('QuestionFormatError') {
  constructor(message: string, options?: ErrorOptions) {
    super('QUESTION_MALFORMED', message, options);
  }
}

/** How one field of a question stands in the query of a URL. */
export interface ParameterForm<Value> {
  /** Name and text of each parameter; none for an absent value. */
  write(value: Value): [name: string, text: string][];
  /** The value; undefined where it is not given and may be absent. @throws {@link QuestionFormatError} */
  read(parameters: QuestionParameters): Value;
}

/** The query parameters of one question, each read once; those that nothing reads are refused at the end. */
export class QuestionParameters {
  readonly #query: URLSearchParams;
  readonly #read = new Set<string>();

  constructor(query: URLSearchParams) {
    this.#query = query;
  }

  /** Every value of `name`, parsed. */
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

  /** The value of `name`; undefined where it is not given. */
  find<Value>(name: string, parse: (text: string) => Value): Value | undefined {
    const values = this.all(name, parse);
    if (values.length > 1) throw new QuestionFormatError(`parameter ${name} is given ${values.length} times`);
    return values[0];
  }

  /** The value of `name`, which must be given. */
  get<Value>(name: string, parse: (text: string) => Value): Value {
    const value = this.find(name, parse);
    if (value === undefined) throw new QuestionFormatError(`parameter ${name} is missing`);
    return value;
  }

  /** @throws {@link QuestionFormatError} when a parameter is given that nothing has read. */
  refuseUnread(): void {
    for (const name of this.#query.keys()) {
      if (!this.#read.has(name)) throw new QuestionFormatError(`parameter ${name} is unknown here`);
    }
  }
}

/** A field that must be given, in the parameter `name`. */
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

/** A field that may be absent, in the parameter `name`. */
export function optional<Value>(name: string, parse: (text: string) => Value): ParameterForm<Value | undefined> {
  return {
    write: (value) => (value === undefined ? [] : [[name, String(value)]]),
    read: (parameters) => parameters.find(name, parse),
  };
}

/** A list, one parameter an element; an empty one is absent. */
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

/** {@link WINDOW}, or neither of its parameters. */
export const OPTIONAL_WINDOW: ParameterForm<Window | undefined> = {
  write: (window) => (window === undefined ? [] : WINDOW.write(window)),
  read: (parameters) => {
    const isGiven = parameters.find('since', asText) !== undefined || parameters.find('until', asText) !== undefined;
    return isGiven ? WINDOW.read(parameters) : undefined;
  },
};

/** One parameter a filter. */
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

/** The attribute in `groupBy`, and each value that has a group of its own in a parameter `group`. */
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

/** @throws `TimeError` for a zone that this Node does not know. */
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

/** Makes a value of parsed JSON; `place` is where it stands in the document. @throws {@link AnswerFormatError} */
export type Reader<Value> = (json: unknown, place: string) => Value;

type ValueOf<SomeReader> = SomeReader extends Reader<infer Value> ? Value : never;
type Readers = Readonly<Record<string, Reader<unknown>>>;

/** JSON that is not an answer to the question asked; the message gives the place and the reason. */
export class AnswerFormatError extends codedError('AnswerFormatError') {
  constructor(message: string, options?: ErrorOptions) {
    super('ANSWER_MALFORMED', message, options);
  }
}

export const readText: Reader<string> = (json, place) => {
  if (typeof json !== 'string') throw isNot('a text', place);
  return json;
};

export const readBoolean: Reader<boolean> = (json, place) => {
  if (typeof json !== 'boolean') throw isNot('a boolean', place);
  return json;
};

/** Takes null for NaN, which JSON cannot write, and the infinities as strings. */
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

/** A list of numbers, as a typed array. */
export const readFloats: Reader<Float64Array> = (json, place) =>
  Float64Array.from(readArrayOf(readNumber)(json, place));

/** JSON as it is, where only its owner knows its shape. */
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
    if (!Array.isArray(json)) throw isNot('a list', place);
    return json.map((item, index) => readItem(item, `${place}[${index}]`));
  };
}

/** An object with keys of any name, all of one kind. */
export function readRecordOf<Value>(readValue: Reader<Value>): Reader<Record<string, Value>> {
  return (json, place) =>
    Object.fromEntries(
      Object.entries(asObject(json, place)).map(([key, value]) => [key, readValue(value, `${place}.${key}`)]),
    );
}

/** An object with `required` and, where they are given, `optional` fields; others are skipped. */
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

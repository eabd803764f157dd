import { codedError } from '@convotel/conventions';

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

import { OtlpFormatError } from '@convotel/query/engine';
import { MAX_OBJECTS } from './wire-reader.ts';

/** So many objects and lists are allowed in any JSON, */
const ALWAYS_ALLOWED_OBJECTS = 100_000;
/** and in a large one, one for so many bytes: the shortest of those that say something, `{"intValue":1}`, takes 15. */
const BYTES_PER_OBJECT = 8;

/** Maximum number of objects and lists in a JSON text of this length; spans need far fewer. */
export function maxObjectsIn(jsonBytes: number): number {
  return Math.min(MAX_OBJECTS, Math.max(ALWAYS_ALLOWED_OBJECTS, jsonBytes / BYTES_PER_OBJECT));
}

export function tooManyObjects(): OtlpFormatError {
  return new OtlpFormatError('the JSON has too many objects and lists for its size; send smaller requests');
}

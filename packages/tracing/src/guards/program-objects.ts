/** Any function of the program's; `this` and arguments go through it unchanged. */
export type Method = (this: unknown, ...given: never[]) => unknown;

/** The property `key` of `source`; undefined where reading it throws, as the program will see for itself. */
export function read(source: unknown, key: PropertyKey): unknown {
  try {
    return (source as Record<PropertyKey, unknown>)[key];
  } catch {
    return undefined;
  }
}

export function isObject(value: unknown): value is object {
  return (typeof value === 'object' && value !== null) || typeof value === 'function';
}

/** The method `key` of `source`, where it has one. */
export function methodOf(source: object, key: PropertyKey): Method | undefined {
  const value = read(source, key);
  return typeof value === 'function' ? (value as Method) : undefined;
}

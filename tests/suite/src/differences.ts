/** Figures may differ by this much between engines, in milliseconds; counts, times and texts by nothing. */
const TOLERANCE_MS = 0.01;

/**
 * Where `actual` differs from `expected`, as sentences; empty when they agree. Figures in milliseconds (`…Ms` and what
 * stands under `timings`, `percentiles` and `intervals`) agree within {@link TOLERANCE_MS}, everything else exactly.
 */
export function differencesBetween(actual: unknown, expected: unknown, place = 'answer', isMs = false): string[] {
  if (typeof actual === 'number' && typeof expected === 'number' && isMs) {
    const isEqual = Math.abs(actual - expected) <= TOLERANCE_MS || (Number.isNaN(actual) && Number.isNaN(expected));
    return isEqual ? [] : [`${place} is ${actual}, not ${expected}`];
  }
  if (isList(actual) && isList(expected)) {
    if (kindOf(actual) !== kindOf(expected)) return [`${place} is ${kindOf(actual)}, not ${kindOf(expected)}`];
    if (actual.length !== expected.length) return [`${place} has ${actual.length} elements, not ${expected.length}`];
    return [...actual].flatMap((item, index) => differencesBetween(item, expected[index], `${place}[${index}]`, isMs));
  }
  if (isObject(actual) && isObject(expected)) {
    const keys = comparedKeysOf(expected);
    if (comparedKeysOf(actual).join() !== keys.join()) {
      return [`${place} has the fields ${comparedKeysOf(actual).join()}, not ${keys.join()}`];
    }
    return keys.flatMap((key) =>
      differencesBetween(
        actual[key],
        expected[key],
        `${place}.${key}`,
        isMs || key.endsWith('Ms') || key === 'timings' || key === 'percentiles' || key === 'intervals',
      ),
    );
  }
  return Object.is(actual, expected) ? [] : [`${place} is ${show(actual)}, not ${show(expected)}`];
}

type List = ArrayLike<unknown> & Iterable<unknown>;

function isList(value: unknown): value is List {
  return Array.isArray(value) || ArrayBuffer.isView(value);
}

function kindOf(list: List): string {
  return list.constructor.name;
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !isList(value);
}

/** What is in `rest` no answer reads; a source may leave it out. */
function comparedKeysOf(value: Record<string, unknown>): string[] {
  return Object.keys(value)
    .filter((key) => key !== 'rest')
    .sort();
}

function show(value: unknown): string {
  return typeof value === 'bigint' ? `${value}n` : (JSON.stringify(value) ?? 'absent');
}

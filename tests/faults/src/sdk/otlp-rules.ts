/** What a strict reader of OTLP/JSON refuses (opentelemetry-proto, and the JSON mapping of protobuf). */
export function otlpMistakes(span: unknown): string[] {
  const mistakes: string[] = [];
  const {
    traceId,
    spanId,
    name,
    startTimeUnixNano,
    endTimeUnixNano,
    attributes,
    events = [],
    links = [],
  } = span as Record<string, unknown>;
  const check = (isRight: boolean, mistake: string): void => {
    if (!isRight) mistakes.push(mistake);
  };
  check(typeof traceId === 'string' && /^[0-9a-f]{32}$/.test(traceId), 'traceId');
  check(typeof spanId === 'string' && /^[0-9a-f]{16}$/.test(spanId), 'spanId');
  check(typeof name === 'string', 'name');
  for (const time of [startTimeUnixNano, endTimeUnixNano]) check(isUint64(time), `time ${String(time)}`);
  checkAttributes(attributes, check);
  for (const event of events as Record<string, unknown>[]) {
    check(isUint64(event['timeUnixNano']), 'time of an event');
    checkAttributes(event['attributes'], check);
  }
  for (const link of links as Record<string, unknown>[]) checkAttributes(link['attributes'], check);
  check(!JSON.stringify(span).includes('\\ud'), 'half of a surrogate pair');
  return mistakes;
}

type Check = (isRight: boolean, mistake: string) => void;

function isUint64(value: unknown): boolean {
  return typeof value === 'string' && /^\d{1,20}$/.test(value) && BigInt(value) < 2n ** 63n;
}

function checkAttributes(attributes: unknown, check: Check): void {
  for (const { key, value } of (attributes ?? []) as { key: unknown; value: unknown }[]) {
    check(typeof key === 'string', 'key of an attribute');
    checkValue(value, check);
  }
}

function checkValue(value: unknown, check: Check): void {
  const entries = Object.entries((value ?? {}) as Record<string, unknown>);
  check(entries.length === 1, `a value with ${entries.length} branches`);
  for (const [branch, held] of entries) {
    if (branch === 'stringValue') check(typeof held === 'string', 'stringValue');
    else if (branch === 'boolValue') check(typeof held === 'boolean', 'boolValue');
    else if (branch === 'intValue') check(isInt64(held), `intValue ${String(held)}`);
    else if (branch === 'doubleValue') check(typeof held === 'number' && Number.isFinite(held), 'doubleValue');
    else if (branch === 'bytesValue') check(typeof held === 'string', 'bytesValue');
    else if (branch === 'arrayValue')
      for (const each of (held as { values: unknown[] }).values) checkValue(each, check);
    else if (branch === 'kvlistValue') checkAttributes((held as { values: unknown[] }).values, check);
    else check(false, `unknown branch ${branch}`);
  }
}

function isInt64(value: unknown): boolean {
  if (typeof value === 'number') return Number.isSafeInteger(value);
  return (
    typeof value === 'string' &&
    /^-?\d{1,19}$/.test(value) &&
    BigInt(value) >= -(2n ** 63n) &&
    BigInt(value) < 2n ** 63n
  );
}

/** Longest value of an attribute that is remembered, with what tells its kind, in bytes. */
const MAX_VALUE_BYTES = 128;
/** Most keys that are remembered; attributes with others take longer. */
const MAX_KEYS = 1024;
/** How many of the keys that followed a key are remembered: each kind of span has another. */
const MAX_NEXT = 8;

/** Bytes that are expected somewhere, for comparing four at a time. */
export class Expected {
  length = 0;
  readonly #words: Uint32Array;
  readonly #bytes: Uint8Array;

  constructor(maxBytes: number) {
    this.#words = new Uint32Array(Math.ceil(maxBytes / 4));
    this.#bytes = new Uint8Array(this.#words.buffer);
  }

  /** Expects the bytes from `start` to `end` from now on. */
  set(bytes: Uint8Array, start: number, end: number): void {
    this.length = end - start;
    for (let index = 0; index < this.length; index++) this.#bytes[index] = bytes[start + index]!;
  }

  /** Whether they are at `at` in `view`, before `limit`. */
  isAt(view: DataView, at: number, limit: number): boolean {
    const { length } = this;
    if (at + length > limit) return false;
    const words = this.#words;
    let index = 0;
    for (; index + 4 <= length; index += 4) {
      if (view.getUint32(at + index, true) !== words[index >>> 2]) return false;
    }
    const bytes = this.#bytes;
    for (; index < length; index++) {
      if (view.getUint8(at + index) !== bytes[index]) return false;
    }
    return true;
  }
}

export function expected(text: string): Expected {
  const bytes = Buffer.from(text);
  const head = new Expected(bytes.length);
  head.set(bytes, 0, bytes.length);
  return head;
}

/** An attribute as OTLP/JSON has it. */
export type KeyValue = Record<string, unknown>;

/** The key of an attribute, and the text that it had last. */
export class KnownKey {
  readonly key: string;
  readonly head: Expected;
  /** The keys that followed it, the latest last. */
  readonly #next: KnownKey[] = [];
  /** What stood behind the head the last time that it was a text; `#entry` is that attribute. */
  readonly #value = new Expected(MAX_VALUE_BYTES);
  #entry: KeyValue | undefined;

  constructor(key: string, head: Buffer) {
    this.key = key;
    this.head = new Expected(head.length);
    this.head.set(head, 0, head.length);
  }

  /** The key whose head is at `at`, if it has followed this one before. */
  findNext(view: DataView, at: number, limit: number): KnownKey | undefined {
    for (const next of this.#next) {
      if (next.head.isAt(view, at, limit)) return next;
    }
    return undefined;
  }

  remembersNext(next: KnownKey): void {
    if (this.#next.push(next) > MAX_NEXT) this.#next.shift();
  }

  /** The whole attribute, if the value at `at` is the one that was kept last; it is shared. */
  findEntry(view: DataView, at: number, limit: number): KeyValue | undefined {
    return this.#entry !== undefined && this.#value.isAt(view, at, limit) ? this.#entry : undefined;
  }

  /** Length of the value that {@link KnownKey.findEntry} finds, in bytes. */
  get entryBytes(): number {
    return this.#value.length;
  }

  /** Keeps the attribute whose value is in the bytes from `start` to `end`, if it is short. */
  keepEntry(bytes: Uint8Array, start: number, end: number, entry: KeyValue): void {
    if (end - start > MAX_VALUE_BYTES) return;
    this.#value.set(bytes, start, end);
    this.#entry = entry;
  }
}

/**
 * The keys of attributes that were seen. The attributes of spans mostly have the same few keys, one after the other in the
 * same order: comparing bytes with what came next the last time is faster than decoding them.
 */
export class KnownKeys {
  /** Stands before the first attribute of a span. */
  readonly beforeFirst = new KnownKey('', Buffer.alloc(0));
  readonly #headOf: (key: string) => Buffer;
  readonly #byText = new Map<string, KnownKey>();

  /** @param headOf - The bytes of an attribute with this key, up to its value. */
  constructor(headOf: (key: string) => Buffer) {
    this.#headOf = headOf;
  }

  /** The key, which is found after `before` from now on; undefined if there are too many. */
  learn(text: string, before: KnownKey | undefined): KnownKey | undefined {
    let key = this.#byText.get(text);
    if (key === undefined) {
      if (this.#byText.size >= MAX_KEYS) return undefined;
      this.#byText.set(text, (key = new KnownKey(text, this.#headOf(text))));
    }
    before?.remembersNext(key);
    return key;
  }
}

const VARINT = 0;
const FIXED64 = 1;
const LENGTH_DELIMITED = 2;
const FIXED32 = 5;

/** Writes protobuf messages (protobuf.dev, Encoding) into one growing, reused buffer. */
export class ProtobufWriter {
  bytes: Buffer = Buffer.allocUnsafeSlow(64 * 1024);
  position = 0;

  reset(position: number): void {
    this.position = position;
  }

  /** A field with its default value is omitted, unless it selects a branch of a oneof (`isChosen`). */
  number(field: number, value: number, isChosen = false): void {
    if (!Number.isSafeInteger(value) || value < 0 || (value === 0 && !isChosen)) return;
    this.#tag(field, VARINT);
    this.#varint(value);
  }

  int64(field: number, value: bigint): void {
    this.#tag(field, VARINT);
    this.#room(10);
    let rest = BigInt.asUintN(64, value);
    while (rest > 127n) {
      this.bytes[this.position++] = Number(rest & 127n) | 128;
      rest >>= 7n;
    }
    this.bytes[this.position++] = Number(rest);
  }

  fixed64(field: number, value: bigint): void {
    this.#tag(field, FIXED64);
    this.#room(8);
    this.position = this.bytes.writeBigUInt64LE(value, this.position);
  }

  fixed32(field: number, value: number): void {
    this.#tag(field, FIXED32);
    this.#room(4);
    this.position = this.bytes.writeUInt32LE(value, this.position);
  }

  double(field: number, value: number): void {
    this.#tag(field, FIXED64);
    this.#room(8);
    this.position = this.bytes.writeDoubleLE(value, this.position);
  }

  text(field: number, text: string, isChosen = false): void {
    if (text === '' && !isChosen) return;
    this.#tag(field, LENGTH_DELIMITED);
    this.#room(text.length * 3 + 10);
    const lengthAt = this.position;
    const length = this.bytes.write(text, lengthAt + 1);
    this.#setLength(lengthAt, length);
  }

  /** A bytes field, from its hexadecimal representation. */
  hex(field: number, hex: string): void {
    this.#tag(field, LENGTH_DELIMITED);
    this.#room(hex.length);
    this.#varint(hex.length / 2);
    this.position += this.bytes.write(hex, this.position, 'hex');
  }

  raw(field: number, bytes: Uint8Array): void {
    this.#tag(field, LENGTH_DELIMITED);
    this.#varint(bytes.length);
    this.append(bytes);
  }

  append(bytes: Uint8Array): void {
    this.#room(bytes.length);
    this.bytes.set(bytes, this.position);
    this.position += bytes.length;
  }

  /** An embedded message. Its length prefix is set after `write` returns. */
  message(field: number, write: () => void): void {
    this.#tag(field, LENGTH_DELIMITED);
    this.#room(1);
    const lengthAt = this.position;
    this.position += 1;
    write();
    this.#setLength(lengthAt, this.position - lengthAt - 1);
  }

  /** Writes `length` into the byte reserved at `lengthAt`, and moves the bytes after it if the varint needs more room. */
  #setLength(lengthAt: number, length: number): void {
    if (length > 127) {
      const extra = length < 2 ** 14 ? 1 : length < 2 ** 21 ? 2 : length < 2 ** 28 ? 3 : 4;
      this.position = lengthAt + 1 + length;
      this.#room(extra);
      this.bytes.copyWithin(lengthAt + 1 + extra, lengthAt + 1, lengthAt + 1 + length);
    }
    this.position = lengthAt;
    this.#varint(length);
    this.position += length;
  }

  #tag(field: number, wireType: number): void {
    this.#varint(field * 8 + wireType);
  }

  #varint(value: number): void {
    this.#room(10);
    let rest = value;
    while (rest > 127) {
      this.bytes[this.position++] = (rest % 128) | 128;
      rest = Math.floor(rest / 128);
    }
    this.bytes[this.position++] = rest;
  }

  #room(bytes: number): void {
    if (this.position + bytes <= this.bytes.length) return;
    const larger = Buffer.allocUnsafeSlow(Math.max(this.bytes.length * 2, this.position + bytes));
    larger.set(this.bytes.subarray(0, this.position));
    this.bytes = larger;
  }
}

/**
 * CityHash128 in its version 1.0.2, which ClickHouse puts before every compressed block; the constants are the
 * published ones. Slow and plain, for tests.
 */
export function cityHash128(bytes: Buffer): [low: bigint, high: bigint] {
  const { length } = bytes;
  if (length >= 16) return hashWithSeed(bytes.subarray(16), word(bytes, 0) ^ K3, word(bytes, 8));
  if (length >= 8) {
    return hashWithSeed(Buffer.alloc(0), word(bytes, 0) ^ multiply(BigInt(length), K0), word(bytes, length - 8) ^ K1);
  }
  return hashWithSeed(bytes, K0, K1);
}

const MASK = (1n << 64n) - 1n;
const K0 = 0xc3a5c85c97cb3127n;
const K1 = 0xb492b66fbe98f273n;
const K2 = 0x9ae16a3b2f90404fn;
const K3 = 0xc949d7c7509e6557n;

function word(bytes: Buffer, at: number): bigint {
  return bytes.readBigUInt64LE(at);
}

function rotate(x: bigint, by: bigint): bigint {
  return by === 0n ? x : ((x >> by) | (x << (64n - by))) & MASK;
}

function shiftMix(x: bigint): bigint {
  return x ^ (x >> 47n);
}

function multiply(a: bigint, b: bigint): bigint {
  return (a * b) & MASK;
}

function add(...terms: bigint[]): bigint {
  return terms.reduce((sum, term) => (sum + term) & MASK, 0n);
}

function hash16(low: bigint, high: bigint): bigint {
  const factor = 0x9ddfea08eb382d69n;
  const a = shiftMix(multiply(low ^ high, factor));
  const b = shiftMix(multiply(high ^ a, factor));
  return multiply(b, factor);
}

function hashUpTo16(bytes: Buffer): bigint {
  const { length } = bytes;
  const size = BigInt(length);
  if (length > 8) {
    const last = word(bytes, length - 8);
    return hash16(word(bytes, 0), rotate(add(last, size), size)) ^ last;
  }
  if (length >= 4) {
    return hash16(add(size, BigInt(bytes.readUInt32LE(0)) << 3n), BigInt(bytes.readUInt32LE(length - 4)));
  }
  if (length === 0) return K2;
  const head = multiply(BigInt(bytes[0]! + (bytes[length >> 1]! << 8)), K2);
  return multiply(shiftMix(head ^ multiply(BigInt(length + (bytes[length - 1]! << 2)), K3)), K2);
}

function weakHash32(bytes: Buffer, at: number, first: bigint, second: bigint): [bigint, bigint] {
  const [w, x, y, z] = [0, 8, 16, 24].map((offset) => word(bytes, at + offset)) as [bigint, bigint, bigint, bigint];
  const start = add(first, w);
  const middle = add(start, x, y);
  const turned = rotate(add(second, start, z), 21n);
  return [add(middle, z), add(turned, rotate(middle, 44n), start)];
}

function murmur(bytes: Buffer, low: bigint, high: bigint): [bigint, bigint] {
  const { length } = bytes;
  let [a, b] = [low, high];
  let c: bigint;
  let d: bigint;
  if (length <= 16) {
    a = multiply(shiftMix(multiply(a, K1)), K1);
    c = add(multiply(b, K1), hashUpTo16(bytes));
    d = shiftMix(add(a, length >= 8 ? word(bytes, 0) : c));
  } else {
    c = hash16(add(word(bytes, length - 8), K1), a);
    d = hash16(add(b, BigInt(length)), add(c, word(bytes, length - 16)));
    a = add(a, d);
    for (let at = 0; at < length - 16; at += 16) {
      a = multiply(a ^ multiply(shiftMix(multiply(word(bytes, at), K1)), K1), K1);
      b ^= a;
      c = multiply(c ^ multiply(shiftMix(multiply(word(bytes, at + 8), K1)), K1), K1);
      d ^= c;
    }
  }
  a = hash16(a, c);
  b = hash16(d, b);
  return [a ^ b, hash16(b, a)];
}

function hashWithSeed(bytes: Buffer, low: bigint, high: bigint): [bigint, bigint] {
  const { length } = bytes;
  if (length < 128) return murmur(bytes, low, high);
  let [x, y, z] = [low, high, multiply(BigInt(length), K1)];
  let v: [bigint, bigint] = [add(multiply(rotate(y ^ K1, 49n), K1), word(bytes, 0)), 0n];
  v[1] = add(multiply(rotate(v[0], 42n), K1), word(bytes, 8));
  let w: [bigint, bigint] = [
    add(multiply(rotate(add(y, z), 35n), K1), x),
    multiply(rotate(add(x, word(bytes, 88)), 53n), K1),
  ];
  let left = length;
  let at = 0;
  while (left >= 128) {
    for (let round = 0; round < 2; round += 1, at += 64) {
      x = multiply(rotate(add(x, y, v[0], word(bytes, at + 16)), 37n), K1) ^ w[1];
      y = multiply(rotate(add(y, v[1], word(bytes, at + 48)), 42n), K1) ^ v[0];
      z = rotate(z ^ w[0], 33n);
      v = weakHash32(bytes, at, multiply(v[1], K1), add(x, w[0]));
      w = weakHash32(bytes, at + 32, add(z, w[1]), y);
      [z, x] = [x, z];
    }
    left -= 128;
  }
  y = add(y, multiply(rotate(w[0], 37n), K0), z);
  x = add(x, multiply(rotate(add(v[0], z), 49n), K0));
  for (let done = 32; done - 32 < left; done += 32) {
    y = add(multiply(rotate((y - x) & MASK, 42n), K0), v[1]);
    w[0] = add(w[0], word(bytes, length - done + 16));
    x = add(multiply(rotate(x, 49n), K0), w[0]);
    w[0] = add(w[0], v[0]);
    v = weakHash32(bytes, length - done, v[0], v[1]);
  }
  x = hash16(x, v[0]);
  y = hash16(y, w[0]);
  return [add(hash16(add(x, v[1]), w[1]), y), hash16(add(x, w[1]), add(y, v[1]))];
}

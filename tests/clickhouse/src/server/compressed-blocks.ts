import { cityHash128 } from './cityhash.ts';
import { ClickHouseRefusal } from './errors.ts';

const METHOD_NONE = 0x02;
const METHOD_LZ4 = 0x82;
const HASH_BYTES = 16;
/** Method, size with this head, size of the data. */
const HEAD_BYTES = 9;
const MAX_BLOCK_BYTES = 1 << 20;

/** `raw` in blocks as `compress=1` asks for them; nothing is compressed, but a client checks the hashes. */
export function packBlocks(raw: Buffer): Buffer {
  const blocks: Buffer[] = [];
  for (let at = 0; at < raw.length; at += MAX_BLOCK_BYTES) {
    const data = raw.subarray(at, at + MAX_BLOCK_BYTES);
    const block = Buffer.alloc(HEAD_BYTES + data.length);
    block[0] = METHOD_NONE;
    block.writeUInt32LE(block.length, 1);
    block.writeUInt32LE(data.length, 5);
    data.copy(block, HEAD_BYTES);
    const hash = Buffer.alloc(HASH_BYTES);
    const [low, high] = cityHash128(block);
    hash.writeBigUInt64LE(low, 0);
    hash.writeBigUInt64LE(high, 8);
    blocks.push(hash, block);
  }
  return Buffer.concat(blocks);
}

/** The data of a body that `decompress=1` announced. Hashes are not checked: the sender is the one under test. */
export function unpackBlocks(packed: Buffer): Buffer {
  const parts: Buffer[] = [];
  let at = 0;
  while (at < packed.length) {
    const method = packed[at + HASH_BYTES];
    const blockBytes = packed.readUInt32LE(at + HASH_BYTES + 1);
    const dataBytes = packed.readUInt32LE(at + HASH_BYTES + 5);
    const data = packed.subarray(at + HASH_BYTES + HEAD_BYTES, at + HASH_BYTES + blockBytes);
    if (method === METHOD_LZ4) parts.push(decodeLz4(data, dataBytes));
    else if (method === METHOD_NONE) parts.push(data);
    else throw new ClickHouseRefusal(48, 'NOT_IMPLEMENTED', `Compression method ${method} is not supported here.`);
    at += HASH_BYTES + blockBytes;
  }
  return Buffer.concat(parts);
}

/** One LZ4 block (format: lz4_Block_format.md of the LZ4 project). */
function decodeLz4(source: Buffer, size: number): Buffer {
  const output = Buffer.alloc(size);
  let from = 0;
  let to = 0;
  const longLength = (length: number): number => {
    let total = length;
    let byte: number;
    do {
      byte = source[from++]!;
      total += byte;
    } while (byte === 255);
    return total;
  };
  while (from < source.length) {
    const token = source[from++]!;
    const literals = token >> 4 === 15 ? longLength(15) : token >> 4;
    source.copy(output, to, from, from + literals);
    from += literals;
    to += literals;
    if (from >= source.length) break;
    const offset = source.readUInt16LE(from);
    from += 2;
    const matched = ((token & 15) === 15 ? longLength(15) : token & 15) + 4;
    // The copy may overlap itself, so it goes byte by byte.
    for (let copied = 0; copied < matched; copied += 1, to += 1) output[to] = output[to - offset]!;
  }
  if (to !== size)
    throw new ClickHouseRefusal(271, 'CANNOT_DECOMPRESS', `A block holds ${to} bytes instead of ${size}.`);
  return output;
}

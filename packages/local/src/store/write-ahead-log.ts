import { existsSync } from 'node:fs';
import { chmod, copyFile, open, readFile, truncate } from 'node:fs/promises';
import { damagedNameOf, logOf } from '../store-files.ts';

/*
 * The shape of DuckDB's log, as version 1.5 writes it (src/storage/write_ahead_log.cpp there): a record that names the
 * version, then entries of a length and a checksum of 64 bits each and as many bytes as the length says. An entry without
 * content ends each transaction; its bytes are always the same.
 */
const VERSION_RECORD = Buffer.from('640062650002ffff', 'hex');
const ENTRY_HEAD_BYTES = 16;
const COMMIT_ENTRY = Buffer.from('0500000000000000e7fe7d722fed3d5e640064ffff', 'hex');

/** Far more than an entry has: it holds at most some thousand rows. */
const MAX_ENTRY_BYTES = 2 ** 30;

/** What could not be read of a log. */
export interface DamagedLog {
  /** Where the unchanged log was put aside. */
  keptAs: string;
  /** Bytes cut off the end of the log. */
  lostBytes: number;
  totalBytes: number;
  /** Transactions that are known to have been in them; there may have been more. */
  lostTransactions: number;
}

/**
 * Looks for damage that DuckDB mistakes for the end of the log: the store would open, and everything behind the damage
 * would be missing silently. Truncates the log before it, and keeps the original.
 *
 * A log that ends within its last transaction is not damaged: a process was killed while it wrote, and had not
 * acknowledged that transaction.
 */
export async function cutHiddenDamage(storePath: string): Promise<DamagedLog | undefined> {
  const damage = await findHiddenDamage(storePath);
  if (damage === undefined) return undefined;
  const kept = await keepLogAside(storePath, damage.end);
  if (!damage.isVersionDamaged || damage.end === 0) return kept;
  // The version record is the same in every log that this version can encounter.
  const file = await open(logOf(storePath), 'r+');
  await file.write(VERSION_RECORD, 0, VERSION_RECORD.length, 0);
  await file.close();
  return kept;
}

/** Damage that DuckDB would not report, and where the readable part ends; undefined when there is none. */
export async function findHiddenDamage(
  storePath: string,
): Promise<{ end: number; isVersionDamaged: boolean } | undefined> {
  const path = logOf(storePath);
  if (!existsSync(path)) return undefined;
  const log = await readFile(path);
  if (log.length === 0) return undefined;
  const end = endOfEntries(log);
  const isCutShort = log.includes(COMMIT_ENTRY, end + 1) || claimedLength(log, end) > MAX_ENTRY_BYTES;
  const isVersionDamaged = !log.subarray(0, VERSION_RECORD.length).equals(VERSION_RECORD);
  if (!isCutShort && !isVersionDamaged) return undefined;
  if (isVersionDamaged && end === VERSION_RECORD.length) return { end: 0, isVersionDamaged };
  return { end: isCutShort ? end : log.length, isVersionDamaged };
}

/**
 * Where the entry begins that DuckDB's `error` says cannot be replayed; undefined for any other error, and `Infinity`
 * when it does not say where.
 */
export function findReplayFailure(error: unknown): number | undefined {
  const message = (error as Error | undefined)?.message ?? '';
  if (!message.includes('Failure while replaying WAL file')) return undefined;
  // It names the position of the content of the entry.
  const content = /entry at byte position (\d+)/.exec(message)?.[1];
  return content === undefined ? Infinity : Math.max(0, Number(content) - ENTRY_HEAD_BYTES);
}

/**
 * Truncates the log to `maxBytes`, and keeps the original. If it is no longer than that, its last transaction is cut
 * off.
 * @param earlier - The result of an earlier cut; the original is already kept then, and the losses add up.
 */
export async function cutLog(storePath: string, maxBytes: number, earlier?: DamagedLog): Promise<DamagedLog> {
  const log = await readFile(logOf(storePath));
  return keepLogAside(storePath, maxBytes < log.length ? maxBytes : endOfLastTransactionButOne(log), earlier);
}

async function keepLogAside(storePath: string, bytes: number, earlier?: DamagedLog): Promise<DamagedLog> {
  const path = logOf(storePath);
  const log = await readFile(path);
  const keptAs = earlier?.keptAs ?? damagedNameOf(path, new Date());
  if (earlier === undefined) {
    await copyFile(path, keptAs);
    // Like the log, it holds texts.
    await chmod(keptAs, 0o600);
  }
  await truncate(path, bytes);
  let lostTransactions = earlier?.lostTransactions ?? 0;
  for (let at = log.indexOf(COMMIT_ENTRY, bytes); at >= 0; at = log.indexOf(COMMIT_ENTRY, at + 1)) {
    lostTransactions += 1;
  }
  return {
    keptAs,
    lostBytes: (earlier?.lostBytes ?? 0) + log.length - bytes,
    totalBytes: earlier?.totalBytes ?? log.length,
    lostTransactions,
  };
}

function endOfLastTransactionButOne(log: Buffer): number {
  const at = log.lastIndexOf(COMMIT_ENTRY, log.length - COMMIT_ENTRY.length - 1);
  return at < 0 ? 0 : at + COMMIT_ENTRY.length;
}

/** The length at `position`; 0 when the log ends before it. */
function claimedLength(log: Buffer, position: number): number {
  return position + ENTRY_HEAD_BYTES <= log.length ? Number(log.readBigUInt64LE(position)) : 0;
}

/** Where the last complete entry ends. */
function endOfEntries(log: Buffer): number {
  let position = VERSION_RECORD.length;
  while (position + ENTRY_HEAD_BYTES <= log.length) {
    const length = claimedLength(log, position);
    if (length === 0 || length > log.length - position - ENTRY_HEAD_BYTES) break;
    position += ENTRY_HEAD_BYTES + length;
  }
  return position;
}

import { randomBytes } from 'node:crypto';
import * as fs from 'node:fs';
import { readFile } from 'node:fs/promises';
import { dirname } from 'node:path';

/**
 * The file-system calls of a journal. Tests pass an implementation that fails, or that loses unflushed data as a power
 * failure does.
 */
export interface JournalFiles {
  /** Creates the folder and its parents, for this user only. */
  makeFolder(path: string): void;
  list(path: string): string[];
  size(path: string): number;
  modifiedMs(path: string): number;
  /** Opens a new file for appending. */
  create(path: string): number;
  /** Returns how many bytes were written. */
  write(file: number, bytes: Buffer, from: number, length: number): number;
  truncate(file: number, bytes: number): void;
  syncNow(file: number): void;
  sync(file: number, done: (error: Error | null) => void): void;
  /** Flushes the folder itself, so that a new file in it survives a power failure. */
  syncFolderNow(path: string): void;
  syncFolder(path: string): void;
  close(file: number): void;
  readWhole(path: string): Promise<Buffer>;
  /** Reads at most `bytes` from `offset`; fewer at the end of the file. */
  read(path: string, offset: number, bytes: number): Promise<Buffer>;
  readText(path: string): string;
  /** Replaces the whole file. */
  writeText(path: string, text: string): void;
  /** Overwrites the beginning of the file without truncating it, so that it is never empty. Creates it if necessary. */
  overwriteText(path: string, text: string): void;
  rename(from: string, to: string): void;
  removeFile(path: string): void;
  removeFolder(path: string): void;
}

const OWNER_ONLY_FOLDER = 0o700;
const OWNER_ONLY_FILE = 0o600;
/** Overwriting in place: truncating or replacing a file is a hundred times slower. */
const IN_PLACE = fs.constants.O_WRONLY | fs.constants.O_CREAT;

/** The real file system. */
export const DISK: JournalFiles = {
  makeFolder,
  list: (path) => fs.readdirSync(path),
  size: (path) => fs.statSync(path).size,
  modifiedMs: (path) => fs.statSync(path).mtimeMs,
  create: (path) => fs.openSync(path, 'ax', OWNER_ONLY_FILE),
  write: (file, bytes, from, length) => fs.writeSync(file, bytes, from, length),
  truncate: (file, bytes) => fs.ftruncateSync(file, bytes),
  syncNow: (file) => fs.fdatasyncSync(file),
  sync: (file, done) => fs.fdatasync(file, done),
  syncFolderNow: (path) => {
    // Windows cannot flush a folder, and does not need to.
    if (process.platform === 'win32') return;
    const folder = fs.openSync(path, 'r');
    try {
      fs.fsyncSync(folder);
    } finally {
      fs.closeSync(folder);
    }
  },
  syncFolder: (path) => {
    if (process.platform === 'win32') return;
    fs.open(path, 'r', (failure, folder) => {
      if (failure === null) fs.fsync(folder, () => fs.close(folder));
    });
  },
  close: (file) => fs.closeSync(file),
  readWhole: (path) => readFile(path),
  read: async (path, offset, bytes) => {
    const handle = await fs.promises.open(path, 'r');
    try {
      const buffer = Buffer.allocUnsafe(bytes);
      let filled = 0;
      while (filled < bytes) {
        const { bytesRead } = await handle.read(buffer, filled, bytes - filled, offset + filled);
        if (bytesRead === 0) break;
        filled += bytesRead;
      }
      return buffer.subarray(0, filled);
    } finally {
      await handle.close();
    }
  },
  readText: (path) => fs.readFileSync(path, 'utf8'),
  writeText: (path, text) => fs.writeFileSync(path, text, { mode: OWNER_ONLY_FILE }),
  overwriteText: (path, text) => {
    const file = fs.openSync(path, IN_PLACE, OWNER_ONLY_FILE);
    try {
      fs.writeSync(file, text, 0);
    } finally {
      fs.closeSync(file);
    }
  },
  rename: (from, to) => fs.renameSync(from, to),
  removeFile: (path) => fs.rmSync(path, { force: true }),
  removeFolder: (path) => fs.rmSync(path, { recursive: true, force: true }),
};

/** Between two of these, another process may have created the folder above. */
const MAKE_ATTEMPTS = 3;

/**
 * Not with `recursive`, because Node.js 20 and 22 loop forever when a file system such as /proc reports ENOENT in an
 * existing folder.
 */
function makeFolder(path: string): void {
  for (let attempt = 1; ; attempt++) {
    try {
      fs.mkdirSync(path, OWNER_ONLY_FOLDER);
      return;
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      if (code === 'EEXIST' && fs.statSync(path).isDirectory()) return;
      if (code !== 'ENOENT' || attempt === MAKE_ATTEMPTS) throw error;
      if (!fs.existsSync(dirname(path))) makeFolder(dirname(path));
    }
  }
}

/** A segment's name contains what a reader needs if the first records are damaged. */
export interface SegmentName {
  number: number;
  /** Number of spans that the process had written before the segment. */
  spansBefore: number;
  salt: number;
}

export const FORMAT_VERSION = 1;

export function newSalt(): number {
  return randomBytes(4).readUInt32LE(0);
}

export function segmentFileName({ number, spansBefore, salt }: SegmentName): string {
  const digits = salt.toString(16).padStart(8, '0');
  return `${String(number).padStart(6, '0')}-${FORMAT_VERSION}-${spansBefore}-${digits}.seg`;
}

/** Parses a file name; undefined if the file is not a segment of this format version. */
export function parseSegmentName(file: string): SegmentName | undefined {
  const match = /^(\d{6,9})-(\d{1,6})-(\d{1,10})-([0-9a-f]{8})\.seg$/.exec(file);
  if (match === null || Number(match[2]) !== FORMAT_VERSION) return undefined;
  return { number: Number(match[1]), spansBefore: Number(match[3]), salt: Number.parseInt(match[4]!, 16) };
}

/** The format version of a segment that another release wrote; undefined for any other file. */
export function unknownVersionOf(file: string): string | undefined {
  const version = /^\d{6,9}-(\d{1,6})-.*\.seg$/.exec(file)?.[1];
  return version === undefined || parseSegmentName(file) !== undefined ? undefined : version;
}

import { dirname } from 'node:path';
import type { JournalFiles } from '@convotel/sdk/internal';
import type { Random } from '../random.ts';

interface ModelFile {
  /** What survives a loss of power for certain. */
  durable: Buffer;
  current: Buffer;
  /** Writes since the last flush: each may survive or not, or a part of it. */
  pending: { at: number; bytes: Buffer }[];
  /** Whether the folder that holds the file was flushed since the file was made. */
  isEntryDurable: boolean;
  modifiedMs: number;
}

/** A disk in memory that forgets at a loss of power what was not flushed, as disks may: in parts and out of order. */
export class ModelDisk implements JournalFiles {
  readonly #files = new Map<string, ModelFile>();
  readonly #folders = new Map<string, { isEntryDurable: boolean }>();
  readonly #open = new Map<number, string>();
  #nextFile = 10;
  /** How often a file was flushed without anybody waiting for it. */
  flushes = 0;
  #clockMs = 1_791_000_000_000;

  makeFolder = (path: string): void => {
    for (let folder = path; folder.length > 1 && !this.#folders.has(folder); folder = dirname(folder)) {
      this.#folders.set(folder, { isEntryDurable: false });
    }
  };

  list = (path: string): string[] => {
    if (!this.#folders.has(path)) throw missing(path);
    const below = [...this.#files.keys(), ...this.#folders.keys()].filter((each) => dirname(each) === path);
    return below.map((each) => each.slice(path.length + 1));
  };

  size = (path: string): number => this.#file(path).current.length;
  modifiedMs = (path: string): number => this.#files.get(path)?.modifiedMs ?? this.#clockMs;

  create = (path: string): number => {
    this.#put(path, Buffer.alloc(0));
    this.#nextFile += 1;
    this.#open.set(this.#nextFile, path);
    return this.#nextFile;
  };

  write = (file: number, bytes: Buffer, from: number, length: number): number => {
    const entry = this.#file(this.#open.get(file) ?? '');
    const written = Buffer.from(bytes.subarray(from, from + length));
    entry.pending.push({ at: entry.current.length, bytes: written });
    entry.current = Buffer.concat([entry.current, written]);
    entry.modifiedMs = this.#tick();
    return length;
  };

  truncate = (file: number, bytes: number): void => {
    const entry = this.#file(this.#open.get(file) ?? '');
    entry.current = entry.current.subarray(0, bytes);
  };

  syncNow = (file: number): void => {
    const entry = this.#file(this.#open.get(file) ?? '');
    entry.durable = entry.current;
    entry.pending = [];
  };

  sync = (file: number, done: (error: Error | null) => void): void => {
    this.syncNow(file);
    this.flushes += 1;
    done(null);
  };

  syncFolderNow = (path: string): void => {
    for (const [each, file] of this.#files) if (dirname(each) === path) file.isEntryDurable = true;
    for (const [each, folder] of this.#folders) if (dirname(each) === path) folder.isEntryDurable = true;
  };

  syncFolder = (path: string): void => this.syncFolderNow(path);
  close = (file: number): void => void this.#open.delete(file);
  readWhole = async (path: string): Promise<Buffer> => this.#file(path).current;

  read = async (path: string, offset: number, bytes: number): Promise<Buffer> =>
    this.#file(path).current.subarray(offset, offset + bytes);

  readText = (path: string): string => this.#file(path).current.toString();
  writeText = (path: string, text: string): void => this.#put(path, Buffer.from(text));

  overwriteText = (path: string, text: string): void => {
    const old = this.#files.get(path);
    if (old === undefined) return this.#put(path, Buffer.from(text));
    const bytes = Buffer.from(text);
    old.pending.push({ at: 0, bytes });
    old.current = Buffer.concat([bytes, old.current.subarray(bytes.length)]);
    old.modifiedMs = this.#tick();
  };

  rename = (from: string, to: string): void => {
    if (!this.#files.has(from) && !this.#folders.has(from)) throw missing(from);
    for (const map of [this.#files, this.#folders] as Map<string, never>[]) {
      for (const [path, entry] of map) {
        if (path !== from && !path.startsWith(`${from}/`)) continue;
        map.delete(path);
        map.set(to + path.slice(from.length), entry);
      }
    }
  };

  removeFile = (path: string): void => void this.#files.delete(path);

  removeFolder = (path: string): void => {
    for (const map of [this.#files, this.#folders]) {
      for (const each of map.keys()) if (each === path || each.startsWith(`${path}/`)) map.delete(each);
    }
  };

  /** The power goes: what was not flushed survives by chance. */
  losePower(random: Random): void {
    this.#open.clear();
    for (const [path, folder] of this.#folders) {
      if (!folder.isEntryDurable && random.chance(0.3)) this.removeFolder(path);
    }
    for (const [path, file] of this.#files) {
      if (!file.isEntryDurable && random.chance(0.3)) {
        this.#files.delete(path);
        continue;
      }
      let bytes = Buffer.from(file.durable);
      for (const write of file.pending) {
        if (random.chance(0.4)) continue;
        const part = write.bytes.subarray(0, random.chance(0.3) ? random.whole(0, write.bytes.length) : undefined);
        const end = write.at + part.length;
        // A write that survives where an earlier one did not leaves zeros between.
        if (end > bytes.length) bytes = Buffer.concat([bytes, Buffer.alloc(end - bytes.length)]);
        part.copy(bytes, write.at);
      }
      Object.assign(file, { current: bytes, durable: bytes, pending: [], isEntryDurable: true });
    }
  }

  #put(path: string, bytes: Buffer): void {
    if (!this.#folders.has(dirname(path))) throw missing(path);
    this.#files.set(path, {
      durable: Buffer.alloc(0),
      current: bytes,
      pending: bytes.length === 0 ? [] : [{ at: 0, bytes }],
      isEntryDurable: false,
      modifiedMs: this.#tick(),
    });
  }

  #file(path: string): ModelFile {
    const file = this.#files.get(path);
    if (file === undefined) throw missing(path);
    return file;
  }

  #tick(): number {
    this.#clockMs += 1;
    return this.#clockMs;
  }
}

function missing(path: string): Error {
  return Object.assign(new Error(`ENOENT: ${path}`), { code: 'ENOENT' });
}

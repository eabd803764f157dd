import { join } from 'node:path';
import { FolderScan, segmentsAmong } from './adoption.ts';
import { readHeartbeat } from './heartbeat.ts';
import type { DroppedSpans } from './heartbeat.ts';
import { DISK, unknownVersionOf } from './journal-files.ts';
import { ADOPTED_FOLDER, currentHost, isDead, lastSignMs, UNKNOWN_FOLDER } from './process-folder.ts';
import { FileStorage } from './segment.ts';

/** Summary of a service's journal, over all its processes on this machine. */
export interface ServiceJournal {
  /** Name of the service. */
  service: string;
  folder: string;
  /** Number of processes and worker threads that are alive. */
  runningProcesses: number;
  /** Number of spans that are not known to be delivered. */
  waitingSpans: number;
  /** Number of waiting spans that were left by processes that have ended; the next start of the program sends them. */
  leftBehindSpans: number;
  /** Number of spans whose records are damaged or missing. */
  damagedSpans: number;
  /** Number of dropped spans by reason, from the last heartbeat of each process whose folder still exists. */
  droppedSpans: DroppedSpans;
  /** Number of files in a format that this release cannot read. */
  unknownFiles: number;
  /** Total size of the waiting spans, in bytes. */
  bytes: number;
  /** When one of its processes was last known to be alive, in Unix milliseconds. */
  lastSignMs: number;
}

/**
 * Inspects the journals in `folder` without changing them. Programs may be running: spans that they write or deliver
 * during the inspection may or may not be counted.
 * @throws if the folder exists but cannot be read
 */
export async function inspectJournals(folder: string): Promise<ServiceJournal[]> {
  const journals: ServiceJournal[] = [];
  for (const service of listOrNone(folder)) {
    const journal = await inspectService(join(folder, service), service);
    if (journal !== undefined) journals.push(journal);
  }
  return journals;
}

async function inspectService(folder: string, service: string): Promise<ServiceJournal | undefined> {
  const dropped: Record<string, number> = {};
  const journal: ServiceJournal = {
    service: decoded(service),
    folder,
    runningProcesses: 0,
    waitingSpans: 0,
    leftBehindSpans: 0,
    damagedSpans: 0,
    droppedSpans: dropped,
    unknownFiles: 0,
    bytes: 0,
    lastSignMs: 0,
  };
  const names = listOrNone(folder);
  for (const name of names) {
    const path = join(folder, name);
    if (name === UNKNOWN_FOLDER) {
      journal.unknownFiles += listOrNone(path).length;
      continue;
    }
    try {
      const isRunning = !(await isDead(DISK, path, currentHost(), Date.now()));
      if (isRunning) journal.runningProcesses += 1;
      const before = journal.waitingSpans;
      await addFolder(path, journal);
      const adopted = join(path, ADOPTED_FOLDER);
      for (const each of listOrNone(adopted)) await addFolder(join(adopted, each), journal);
      if (!isRunning) journal.leftBehindSpans += journal.waitingSpans - before;
      for (const [reason, spans] of Object.entries(readHeartbeat(DISK, path)?.droppedSpans ?? {})) {
        dropped[reason] = (dropped[reason] ?? 0) + spans;
      }
      journal.lastSignMs = Math.max(journal.lastSignMs, lastSignMs(DISK, path));
    } catch (error) {
      // Delivered or taken over since it was listed.
      if (!isMissing(error)) throw error;
    }
  }
  return names.length === 0 ? undefined : journal;
}

/** Adds the segments of one process. */
async function addFolder(folder: string, journal: ServiceJournal): Promise<void> {
  // Read before the segments, so that these contain all spans that it counts.
  const heartbeat = readHeartbeat(DISK, folder);
  const files = listOrNone(folder);
  journal.unknownFiles += files.filter((file) => unknownVersionOf(file) !== undefined).length;
  const scan = new FolderScan();
  const found = [];
  let isComplete = true;
  for (const each of segmentsAmong(files)) {
    const path = join(folder, each.file);
    try {
      const bytes = await DISK.readWhole(path);
      journal.bytes += bytes.length;
      const segment = scan.add(FileStorage.existing(DISK, path), bytes, each);
      if (segment !== undefined) found.push(segment);
    } catch (error) {
      // Delivered since it was listed.
      if (!isMissing(error)) throw error;
      isComplete = false;
    }
  }
  scan.finish(isComplete ? heartbeat : undefined);
  for (const segment of found) journal.waitingSpans += scan.unsettledIn(segment);
  for (const [from, to] of scan.gaps) journal.damagedSpans += Math.max(0, to - Math.max(from, scan.settledThrough));
}

function listOrNone(folder: string): string[] {
  try {
    return DISK.list(folder);
  } catch (error) {
    if (isMissing(error)) return [];
    throw error;
  }
}

function isMissing(error: unknown): boolean {
  const { code } = error as NodeJS.ErrnoException;
  return code === 'ENOENT' || code === 'ENOTDIR';
}

function decoded(name: string): string {
  try {
    return decodeURIComponent(name);
  } catch {
    // Not an encoded name; shown as it is.
    return name;
  }
}

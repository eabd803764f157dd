import { join } from 'node:path';
import { crc32 } from 'node:zlib';
import type { JournalFiles } from './journal-files.ts';

/** Number of dropped spans by reason. */
export type DroppedSpans = Readonly<Record<string, number>>;

/**
 * A file beside the segments of a process. Its modification time shows that the process is alive; the span count shows
 * how many spans are missing if the end of a segment is lost.
 */
export interface Heartbeat {
  droppedSpans: DroppedSpans;
  /** Number of spans that the process had written when it last wrote one to a segment. */
  spans: number;
  /** Spans up to this count are settled, and need not be sent again. */
  settledSpans: number;
}

export const HEARTBEAT_FILE = 'heartbeat';

/** Shorter heartbeats are padded with spaces, so that they fully overwrite a longer one. */
const MIN_BYTES = 1024;

/**
 * Writes with a single call, so that a killed process leaves either this heartbeat or the previous one. Returns the
 * modification time of the file, in ms: the current time by the file system's clock.
 */
export function writeHeartbeat(files: JournalFiles, folder: string, heartbeat: Heartbeat): number {
  const path = join(folder, HEARTBEAT_FILE);
  const text = JSON.stringify(heartbeat);
  files.overwriteText(path, `${text}\n${crc32(text)}\n`.padEnd(MIN_BYTES));
  return files.modifiedMs(path);
}

/** The last heartbeat of a process; undefined if there is none or it is damaged. */
export function readHeartbeat(files: JournalFiles, folder: string): Heartbeat | undefined {
  try {
    const [text = '', checksum] = files.readText(join(folder, HEARTBEAT_FILE)).split('\n');
    return String(crc32(text)) === checksum ? (JSON.parse(text) as Heartbeat) : undefined;
  } catch {
    return undefined;
  }
}

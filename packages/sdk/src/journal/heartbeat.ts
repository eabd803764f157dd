import { join } from 'node:path';
import { crc32 } from 'node:zlib';
import type { JournalFiles } from './journal-files.ts';

/** Spans by the reason for which they were dropped. */
export type DroppedSpans = Readonly<Record<string, number>>;

/**
 * What a process says of itself beside its segments. That it says so shows that it is alive; how many spans it had
 * written shows what is missing where the end of a segment is lost.
 */
export interface Heartbeat {
  droppedSpans: DroppedSpans;
  /** Spans that the process had written when the newest one went to a segment. */
  spans: number;
  /** All spans up to this count need not be sent again. */
  settledSpans: number;
}

export const HEARTBEAT_FILE = 'heartbeat';

/** Shorter ones are filled up with spaces, so that nothing of a longer one remains. */
const MIN_BYTES = 1024;

/** One write, so that a kill leaves this one or the one before. Returns the file system's idea of now, in ms. */
export function writeHeartbeat(files: JournalFiles, folder: string, heartbeat: Heartbeat): number {
  const path = join(folder, HEARTBEAT_FILE);
  const text = JSON.stringify(heartbeat);
  files.overwriteText(path, `${text}\n${crc32(text)}\n`.padEnd(MIN_BYTES));
  return files.modifiedMs(path);
}

/** The last one; undefined where there is none or it is damaged. */
export function readHeartbeat(files: JournalFiles, folder: string): Heartbeat | undefined {
  try {
    const [text = '', checksum] = files.readText(join(folder, HEARTBEAT_FILE)).split('\n');
    return String(crc32(text)) === checksum ? (JSON.parse(text) as Heartbeat) : undefined;
  } catch {
    return undefined;
  }
}

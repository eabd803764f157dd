import { join } from 'node:path';
import type { JournalFiles } from './journal-files.ts';
import { ADOPTED_FOLDER } from './process-folder.ts';
import type { ProcessFolder } from './process-folder.ts';

/**
 * Bytes that the other processes of a service hold in its folder, or may hold before they look again: the newest segment
 * of each counts as full.
 */
export function usedByOthers(
  files: JournalFiles,
  serviceFolder: string,
  own: ProcessFolder,
  segmentBytes: number,
): number {
  let bytes = 0;
  for (const name of entriesOf(files, serviceFolder)) {
    if (name === own.name) continue;
    const folder = join(serviceFolder, name);
    const sizes = segmentSizes(files, folder);
    const newest = sizes.pop();
    if (newest !== undefined) bytes += Math.max(newest, segmentBytes);
    for (const size of sizes) bytes += size;
    for (const adopted of entriesOf(files, join(folder, ADOPTED_FOLDER))) {
      for (const size of segmentSizes(files, join(folder, ADOPTED_FOLDER, adopted))) bytes += size;
    }
  }
  return bytes;
}

function segmentSizes(files: JournalFiles, folder: string): number[] {
  return entriesOf(files, folder)
    .filter((file) => file.endsWith('.seg'))
    .toSorted()
    .map((file) => sizeOf(files, join(folder, file)));
}

/** Folders and files of other processes come and go while they are counted. */
function entriesOf(files: JournalFiles, folder: string): string[] {
  try {
    return files.list(folder);
  } catch {
    return [];
  }
}

function sizeOf(files: JournalFiles, path: string): number {
  try {
    return files.size(path);
  } catch {
    return 0;
  }
}

import { join } from 'node:path';
import { sendableTime } from '../encoding/sendable.ts';
import { readStartTime, START_TIME_BYTES } from '../encoding/span-encoder.ts';
import type { FolderScan } from './folder-scan.ts';
import type { JournalFiles } from './journal-files.ts';
import { lastSignMs, RECOVERED_FILE } from './process-folder.ts';
import { RECORD_HEADER_BYTES, RECORD_KIND, sealRecord } from './record.ts';
import { FileStorage, MemoryStorage, Segment } from './segment.ts';
import type { SegmentHeader } from './segment.ts';

/** Writes the spans that were open to a segment of their own, which appears whole or not at all. */
export function recoverOpenSpans(
  files: JournalFiles,
  folder: string,
  header: SegmentHeader,
  scan: FolderScan,
): Segment | undefined {
  const open = [...scan.open.values()].filter(({ encoding }) => encoding === header.encoding);
  if (open.length === 0) return undefined;
  const lastSignNano = BigInt(Math.round(lastSignMs(files, folder) * 1000)) * 1000n;
  const probe = new Segment(new MemoryStorage(0), header, 0, 0);
  const records: Buffer[] = [recordOf(RECORD_KIND.segment, 0, scan.nextIndex, Buffer.from(JSON.stringify(header)))];
  const scopes = new Map<string, number>();
  let index = scan.nextIndex;
  for (const { start, scope } of open) {
    let number = scopes.get(scope);
    if (number === undefined) {
      number = scopes.size;
      scopes.set(scope, number);
      records.push(recordOf(RECORD_KIND.scope, 0, index, Buffer.from(JSON.stringify({ number, scope }))));
    }
    const startNano = sendableTime(readStartTime(start));
    const end = lastSignNano > startNano ? lastSignNano : startNano;
    records.push(
      recordOf(RECORD_KIND.span, number, index, probe.encoded.abandon(start.subarray(START_TIME_BYTES), end)),
    );
    index += 1;
  }
  const bytes = Buffer.concat(records);
  const segment = new Segment(storeRecovered(files, folder, bytes), header, 0, bytes.length);
  segment.bytes = bytes.length;
  segment.isSealed = true;
  segment.spans = open.length;
  return segment;
}

/** Where the disk refuses, they wait in memory; a crash then only means that they are recovered again. */
function storeRecovered(files: JournalFiles, folder: string, bytes: Buffer): FileStorage | MemoryStorage {
  const path = join(folder, RECOVERED_FILE);
  const draft = `${path}.draft`;
  try {
    files.removeFile(draft);
    const storage = FileStorage.create(files, draft);
    try {
      storage.write(bytes, bytes.length);
    } finally {
      storage.seal();
    }
    files.rename(draft, path);
    return FileStorage.existing(files, path);
  } catch {
    const storage = new MemoryStorage(bytes.length);
    storage.write(bytes, bytes.length);
    return storage;
  }
}

function recordOf(kind: number, scope: number, spansBefore: number, payload: Buffer): Buffer {
  const record = Buffer.concat([Buffer.alloc(RECORD_HEADER_BYTES), payload]);
  sealRecord(record, payload.length, { kind, scope, sequence: 0, spansBefore }, 0);
  return record;
}

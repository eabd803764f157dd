import { homedir } from 'node:os';
import { isAbsolute, join, resolve } from 'node:path';
import { toUSVString } from 'node:util';
import { createHash } from 'node:crypto';
import type { SpanEncoder } from '../encoding/span-encoder.ts';
import { Journal } from '../journal/journal.ts';
import type { SpanCounts } from '../journal/span-counts.ts';
import type { Environment } from '../settings/environment.ts';
import { DEFAULT_JOURNAL_BYTES } from '../settings/tracing-options.ts';
import type { TracingOptions } from '../settings/tracing-options.ts';

/** Without a journal, or while its disk refuses, so many bytes of spans wait in memory. */
const MAX_MEMORY_BYTES = 96 * 1024 * 1024;

/** The journal that the options and the environment ask for. */
export function journalOf(
  options: TracingOptions,
  environment: Environment,
  serviceName: string,
  parts: { encoder: SpanEncoder; counts: SpanCounts; warn: (message: string) => void },
): Journal {
  const { journal } = options;
  const isOff = journal === false || (journal === undefined && environment.isJournalOff);
  const settings = typeof journal === 'object' ? journal : {};
  return new Journal({
    ...parts,
    serviceName,
    folder: isOff
      ? undefined
      : resolve(settings.folder ?? defaultJournalFolder(environment.stateFolder), folderName(serviceName)),
    maxBytes: settings.maxBytes ?? DEFAULT_JOURNAL_BYTES,
    maxMemoryBytes: MAX_MEMORY_BYTES,
    maxBatchSpans: environment.maxBatchSpans,
    maxQueueSpans: environment.maxQueueSpans,
    sync: settings.sync ?? 'interval',
  });
}

/** The journals of all services. The XDG Base Directory Specification: paths that are not absolute are ignored. */
export function defaultJournalFolder(stateFolder: string | undefined): string {
  const localAppData = process.env['LOCALAPPDATA'];
  const fallback =
    process.platform === 'win32' && localAppData !== undefined ? localAppData : join(homedir(), '.local', 'state');
  return join(stateFolder !== undefined && isAbsolute(stateFolder) ? stateFolder : fallback, 'convotel', 'journal');
}

const MAX_FOLDER_NAME_LENGTH = 80;

/**
 * A service's name as the name of a folder, on every file system. Two services never share one; programs without a name
 * do, because the name that OpenTelemetry gives them depends on how Node was called.
 */
function folderName(serviceName: string): string {
  if (serviceName.startsWith('unknown_service')) return 'unknown_service';
  const name = encodeURIComponent(toUSVString(serviceName)).replaceAll(/[.*'()!~]/g, (character) =>
    character === '.' ? '.' : `%${character.charCodeAt(0).toString(16)}`,
  );
  if (name.length <= MAX_FOLDER_NAME_LENGTH && !/^\.*$/.test(name) && name === name.toLowerCase()) return name;
  const digest = createHash('sha256').update(serviceName).digest('hex').slice(0, 12);
  return `${name.slice(0, MAX_FOLDER_NAME_LENGTH - 13).replace(/^\.+/, '')}-${digest}`;
}

import type { SpanRecord } from '@convotel/query';
import { resolveStore } from '../store-files.ts';

/** A store that is written to without a server. */
export interface OpenedSpanStore {
  /** Absolute path of the file. */
  readonly path: string;
  /**
   * Stores `spans`, copies once. Resolves when they are on disk.
   * @throws `LocalError` `STORE_UNWRITABLE` when they are not; appending them again later is safe.
   */
  append(spans: readonly SpanRecord[]): Promise<void>;
  /** Writes what is waiting, and closes the file. */
  close(): Promise<void>;
}

/** Options of {@link openSpanStore}, besides the path. */
export interface OpenSpanStoreOptions {
  /**
   * Called with what an operator should know, such as a damaged log, one sentence per call. @defaultValue notices are
   * dropped
   */
  onNotice?: ((notice: string) => void) | undefined;
}

/** Most memory that DuckDB takes while a program other than `serve` writes to it. */
const WRITER_MEMORY_BYTES = 256 * 1024 ** 2;

/**
 * Opens the store at `storePath` for writing, and creates it when missing: for imports and tools. Only one process can
 * hold it, so this fails while a back end runs on it. Nothing is deleted by age or space.
 * @throws `LocalError` `STORE_LOCKED`, `STORE_UNREADABLE`
 */
export async function openSpanStore(
  storePath: string,
  { onNotice }: OpenSpanStoreOptions = {},
): Promise<OpenedSpanStore> {
  const { SpanStore } = await import('./span-store.ts');
  return SpanStore.open(resolveStore(storePath), { memoryLimitBytes: WRITER_MEMORY_BYTES, onNotice });
}

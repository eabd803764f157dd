import { resolve } from 'node:path';
import type { SpanRecord } from '@convotel/query';

/** A store that spans are put into without a server. */
export interface OpenedSpanStore {
  /** Absolute path of the file. */
  readonly path: string;
  /**
   * Stores `spans`, copies once. Resolves when they are on disk.
   * @throws `LocalError` `STORE_UNWRITABLE` when they are not; appending them again later is safe.
   */
  append(spans: readonly SpanRecord[]): Promise<void>;
  /** Lets go of the file, after what waits is written. */
  close(): Promise<void>;
}

/** How to open a store without a server. */
export interface OpenSpanStoreOptions {
  /** Hears of what an operator should know, such as a damaged log, one sentence each. @defaultValue nobody does */
  onNotice?: ((notice: string) => void) | undefined;
}

/** Most memory that DuckDB takes while it is written to by a program of its own. */
const WRITER_MEMORY_BYTES = 256 * 1024 ** 2;

/**
 * Opens the store at `storePath` for writing, and makes it where there is none: for imports and tools. Only one process
 * can hold it, so not while a back end runs on it. Nothing is deleted by age or space.
 * @throws `LocalError` `STORE_LOCKED`, `STORE_UNREADABLE`
 */
export async function openSpanStore(
  storePath: string,
  { onNotice }: OpenSpanStoreOptions = {},
): Promise<OpenedSpanStore> {
  const { SpanStore } = await import('./span-store.ts');
  return SpanStore.open(resolve(storePath), { memoryLimitBytes: WRITER_MEMORY_BYTES, onNotice });
}

import { LocalError } from './local-error.ts';

/** How long and how much the store keeps. */
export interface RetentionOptions {
  /** Conversations in which nothing has started for longer are deleted, in days; `Infinity` keeps them. @defaultValue `30` */
  maxAgeDays?: number;
  /** Above this much used space, in bytes, the oldest conversations are deleted. @defaultValue `2_147_483_648` (2 GiB) */
  maxBytes?: number;
}

/** How to start the embedded back end. */
export interface LocalBackendOptions {
  /** The store's file; made, with its folder, where there is none. */
  storePath: string;
  /** TCP port; `0` picks a free one. @defaultValue `4318`, OTLP/HTTP's own */
  port?: number;
  /** Address or name to listen on. Anything but loopback lets others read and write. @defaultValue `127.0.0.1` */
  host?: string;
  retention?: RetentionOptions;
  /**
   * Largest accepted request body, in bytes, before and after inflating; a larger one is answered 413.
   * @defaultValue `20_971_520` (20 MiB)
   */
  maxBodyBytes?: number;
  /** Most memory that the store's engine takes, in bytes. @defaultValue `201_326_592` (192 MiB) */
  storeMemoryBytes?: number;
  /** How often retention looks for what is too old or too much, in milliseconds. @defaultValue `60_000` */
  retentionIntervalMs?: number;
  /** Folder of the built web page, shown at `/`. @defaultValue no page */
  pageFolder?: string | undefined;
  /** Hears of what an operator should know, one sentence each. @defaultValue nobody does */
  onNotice?: (notice: string) => void;
}

/** {@link LocalBackendOptions} with the defaults filled in. */
export interface ResolvedBackendOptions extends Required<Omit<LocalBackendOptions, 'retention' | 'pageFolder'>> {
  pageFolder: string | undefined;
  retention: Required<RetentionOptions>;
}

/** @throws {@link LocalError} `OPTION_OUT_OF_RANGE` */
export function resolveBackendOptions(options: LocalBackendOptions): ResolvedBackendOptions {
  const {
    storePath,
    port = 4318,
    host = '127.0.0.1',
    retention: { maxAgeDays = 30, maxBytes = 2 * 1024 ** 3 } = {},
    maxBodyBytes = 20 * 1024 ** 2,
    storeMemoryBytes = 192 * 1024 ** 2,
    retentionIntervalMs = 60_000,
    pageFolder,
    onNotice = () => undefined,
  } = options;
  check('port', port, Number.isInteger(port) && port >= 0 && port <= 65_535, 'a whole number from 0 to 65535');
  check('retention.maxAgeDays', maxAgeDays, maxAgeDays > 0, 'a number above 0');
  for (const [name, value] of Object.entries({ 'retention.maxBytes': maxBytes, maxBodyBytes, retentionIntervalMs })) {
    check(name, value, Number.isSafeInteger(value) && value > 0, 'a whole number above 0');
  }
  const leastMemory = 32 * 1024 ** 2;
  check('storeMemoryBytes', storeMemoryBytes, storeMemoryBytes >= leastMemory, `at least ${leastMemory}`);
  return {
    storePath,
    port,
    host,
    retention: { maxAgeDays, maxBytes },
    maxBodyBytes,
    storeMemoryBytes,
    retentionIntervalMs,
    pageFolder,
    onNotice,
  };
}

function check(name: string, value: number, isRight: boolean, expected: string): void {
  if (!isRight) throw new LocalError('OPTION_OUT_OF_RANGE', `${name} must be ${expected}, got ${value}`);
}

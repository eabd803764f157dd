import type { StepKind } from '@convotel/conventions';
import type { UsageOptions } from '@convotel/query';
import { LocalError } from './local-error.ts';

/** How long and how much the store keeps. */
export interface RetentionOptions {
  /**
   * In days: conversations that ended longer ago are deleted, and spans that old are refused. `Infinity` keeps
   * everything, and then also accepts spans that are dated in the future.
   * @defaultValue `30`
   */
  maxAgeDays?: number | undefined;
  /**
   * In bytes, log included: while the store uses more than this, the conversations that ended first are deleted. While
   * the file is rewritten, the disk holds up to twice as much. At least 8 MiB: in less, the spans that arrive while space
   * is made are too large a part for the limit to hold. @defaultValue `2_147_483_648` (2 GiB)
   */
  maxBytes?: number | undefined;
}

/** How to start the embedded back end. */
export interface LocalBackendOptions {
  /** The store's file; created, with its folder, when it does not exist. */
  storePath: string;
  /** TCP port; `0` picks a free one. @defaultValue `4318`, OTLP/HTTP's own */
  port?: number | undefined;
  /** Address or name to listen on. Anything but loopback needs `tokens`. @defaultValue `127.0.0.1` */
  host?: string | undefined;
  /**
   * Path of a Unix socket to listen on instead of `host` and `port`; only its owner can connect.
   * @defaultValue none
   */
  socketPath?: string | undefined;
  /**
   * The contents of a token file: one token of 16 characters or more per line, optionally preceded by its rights, such
   * as `read` or `send,read`. Every request must then carry one. @defaultValue no token is required
   */
  tokens?: string | undefined;
  /** Origins whose web pages may query and send, such as `https://app.example.com`. @defaultValue none */
  allowedOrigins?: readonly string[] | undefined;
  retention?: RetentionOptions | undefined;
  /**
   * Largest accepted request body, in bytes, before and after inflating; a larger one is answered 413.
   * @defaultValue `20_971_520` (20 MiB)
   */
  maxBodyBytes?: number | undefined;
  /**
   * Most memory for all bodies and answers in progress together, in bytes; a request that exceeds it is answered 503
   * with `Retry-After`. @defaultValue `268_435_456` (256 MiB)
   */
  maxRequestBytes?: number | undefined;
  /** Most memory that the store's engine takes, in bytes. @defaultValue `150_994_944` (144 MiB) */
  storeMemoryBytes?: number | undefined;
  /** How often retention checks age and size, in milliseconds. @defaultValue `60_000` */
  retentionIntervalMs?: number | undefined;
  /** Folder of the built web page, shown at `/`. @defaultValue no page */
  pageFolder?: string | undefined;
  /** Settings of the page that differ from the defaults. */
  pageSettings?: PageSettings | undefined;
  /** Called with what an operator should know, one sentence per call. @defaultValue notices are dropped */
  onNotice?: ((notice: string) => void) | undefined;
}

/** Settings of a person that the page and the command line share. */
export interface PageSettings {
  /** A conversation that takes less than this many milliseconds is fast enough. @defaultValue `7000` */
  targetMs?: number | undefined;
  /** Currency of the prices; only displayed. */
  currency?: string | undefined;
  /** Prices by the name of the model that spans carry. @defaultValue no cost is shown */
  prices?: UsageOptions['prices'];
  /** Kinds of the steps whose name does not reveal it. */
  kinds?: Readonly<Record<string, StepKind>> | undefined;
}

/** {@link RetentionOptions} with the defaults filled in. */
export interface ResolvedRetentionOptions {
  maxAgeDays: number;
  maxBytes: number;
}

/** {@link LocalBackendOptions} with the defaults filled in. */
export interface ResolvedBackendOptions {
  storePath: string;
  port: number;
  host: string;
  socketPath: string | undefined;
  tokens: string | undefined;
  allowedOrigins: readonly string[];
  retention: ResolvedRetentionOptions;
  maxBodyBytes: number;
  maxRequestBytes: number;
  storeMemoryBytes: number;
  retentionIntervalMs: number;
  pageFolder: string | undefined;
  pageSettings: PageSettings;
  onNotice: (notice: string) => void;
}

/** Smallest limit on the size of a store. */
const MIN_STORE_BYTES = 8 * 1024 ** 2;

/** @throws {@link LocalError} `OPTION_OUT_OF_RANGE` */
export function resolveBackendOptions(options: LocalBackendOptions): ResolvedBackendOptions {
  const {
    storePath,
    port = 4318,
    host = '127.0.0.1',
    socketPath,
    tokens,
    allowedOrigins = [],
    retention: { maxAgeDays = 30, maxBytes = 2 * 1024 ** 3 } = {},
    maxBodyBytes = 20 * 1024 ** 2,
    maxRequestBytes = 256 * 1024 ** 2,
    storeMemoryBytes = 144 * 1024 ** 2,
    retentionIntervalMs = 60_000,
    pageFolder,
    pageSettings = {},
    onNotice = () => undefined,
  } = options;
  check('port', port, Number.isInteger(port) && port >= 0 && port <= 65_535, 'a whole number from 0 to 65535');
  check('retention.maxAgeDays', maxAgeDays, maxAgeDays > 0, 'a number above 0');
  const counts = { 'retention.maxBytes': maxBytes, maxBodyBytes, maxRequestBytes, retentionIntervalMs };
  for (const [name, value] of Object.entries(counts)) {
    check(name, value, Number.isSafeInteger(value) && value > 0, 'a whole number above 0');
  }
  check(
    'retention.maxBytes',
    maxBytes,
    maxBytes >= MIN_STORE_BYTES,
    `at least ${MIN_STORE_BYTES} (8 MiB): in less, the spans that arrive while space is made are too large a part of it`,
  );
  const minMemory = 32 * 1024 ** 2;
  check('storeMemoryBytes', storeMemoryBytes, storeMemoryBytes >= minMemory, `at least ${minMemory}`);
  check('maxRequestBytes', maxRequestBytes, maxRequestBytes >= maxBodyBytes, `at least maxBodyBytes (${maxBodyBytes})`);
  return {
    storePath,
    port,
    host,
    socketPath,
    tokens,
    allowedOrigins: allowedOrigins.map((origin) => origin.toLowerCase()),
    retention: { maxAgeDays, maxBytes },
    maxBodyBytes,
    maxRequestBytes,
    storeMemoryBytes,
    retentionIntervalMs,
    pageFolder,
    pageSettings,
    onNotice,
  };
}

function check(name: string, value: number, isRight: boolean, expected: string): void {
  if (!isRight) throw new LocalError('OPTION_OUT_OF_RANGE', `${name} must be ${expected}, got ${value}`);
}

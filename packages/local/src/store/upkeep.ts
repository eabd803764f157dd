import { SerialQueue } from '@convotel/query/engine';
import type { DuckDBConnection } from '@duckdb/node-api';
import type { ResolvedRetentionOptions } from '../backend-options.ts';
import { explainedDamage, readUndamaged, transaction } from './database.ts';
import { deleteEnded, type Deletion, findDueByAge, findExcess, Growth, MAX_SHARE_BY_AGE } from './retention.ts';
import type { SpanStore } from './span-store.ts';
import { type ClockState, MAX_STEP_MS, TrustedClock, WATCH_MS } from './trusted-clock.ts';
import { changeUpkeepRow } from './upkeep-row.ts';

const MS_PER_DAY = 86_400_000;
const MS_PER_HOUR = 3_600_000;
/** More than can have passed since 1970: no limit on age. */
const MANY_DAYS = 100_000;
/** The latest time that a store can hold. */
const LATEST_NS = 2n ** 63n - 1n;
/** How often the size is checked, besides every run: a fast sender can write much within a minute. */
const SIZE_LOOK_MS = 1_000;
/** Deleted rows are gone from the disk within a day: a run that finds them this old rewrites the store. */
const MAX_UNRECLAIMED_MS = 20 * MS_PER_HOUR;
/** A file longer than this factor of the allowed size is rewritten if that makes it shorter. */
const MAX_FILE_FACTOR = 1.05;
const MAX_USED_SHARE = 0.95;
/** Most rounds of deleting for size in one run; a second one is needed only when sizes were misjudged. */
const MAX_SIZE_ROUNDS = 3;
/** The filter of known spans is rebuilt when it holds this many times more than is stored. */
const FORGOTTEN_RATIO = 2;
/** How far the believed time moves on before it is stored again. */
const CLOCK_SAVE_MS = 10 * 60_000;

/** What upkeep has done since the start. */
export interface UpkeepCounts {
  conversationsDeletedByAge: number;
  conversationsDeletedBySize: number;
  /** Large conversations that have lost their oldest spans, counted each time. */
  conversationsShortened: number;
  spansDeleted: number;
  rewrites: number;
  /** Bytes in use, log included, at the last check: at most some seconds old while spans arrive. */
  usedBytes: number;
}

export interface UpkeepOptions {
  retention: ResolvedRetentionOptions;
  /** How often to look. */
  intervalMs: number;
  onNotice: (notice: string) => void;
  /** The clocks; tests pass their own. @defaultValue the machine's */
  now?: (() => number) | undefined;
  elapsed?: (() => number) | undefined;
}

/**
 * Keeps a store within its limits, in the background and in small steps: it deletes by age and by size, takes deleted
 * rows off the disk, and replaces a damaged file by what can be read of it. All of it is reported and counted; a
 * failure is reported and retried.
 */
export class Upkeep {
  readonly counts: UpkeepCounts = {
    conversationsDeletedByAge: 0,
    conversationsDeletedBySize: 0,
    conversationsShortened: 0,
    spansDeleted: 0,
    rewrites: 0,
    usedBytes: 0,
  };
  readonly #store: SpanStore;
  readonly #options: UpkeepOptions;
  readonly #clock: TrustedClock;
  readonly #now: () => number;
  readonly #elapsed: () => number;
  #lastElapsedMs: number;
  #savedMs = 0;
  #hasAnnouncedAge = false;
  #hasAnnouncedJump = false;
  #lastFailure: string | undefined;
  #lookedAtSpans = 0;
  #lookedAtLogBytes = 0;
  #logBytesPerSpan = 0;
  readonly #growth: Growth;
  #isStopped = false;
  readonly #queue = new SerialQueue();
  #timers: NodeJS.Timeout[] = [];

  private constructor(store: SpanStore, options: UpkeepOptions, clock: TrustedClock) {
    this.#store = store;
    this.#options = options;
    this.#clock = clock;
    this.#now = options.now ?? Date.now;
    this.#elapsed = options.elapsed ?? (() => performance.now());
    this.#lastElapsedMs = this.#elapsed();
    this.#growth = new Growth(SIZE_LOOK_MS);
  }

  /** @throws `LocalError` `STORE_UNREADABLE` when what it remembers of the last run is damaged */
  static async open(store: SpanStore, options: UpkeepOptions): Promise<Upkeep> {
    const nowMs = (options.now ?? Date.now)();
    try {
      const clock = await store.read((connection) => readClock(connection, nowMs));
      return new Upkeep(store, options, new TrustedClock(clock));
    } catch (error) {
      throw explainedDamage(store.path, error);
    }
  }

  /** Runs now, and then at intervals until {@link Upkeep.stop}. */
  start(): void {
    const { intervalMs } = this.#options;
    this.#timers = [
      setInterval(() => this.#enqueue(() => this.run()), intervalMs),
      setInterval(() => this.#enqueue(() => this.#lookAtSize()), Math.min(SIZE_LOOK_MS, intervalMs)),
    ];
    for (const timer of this.#timers) timer.unref();
    this.#enqueue(() => this.run());
  }

  /** Stops, after the run in progress has finished. */
  async stop(): Promise<void> {
    this.#isStopped = true;
    for (const timer of this.#timers) clearInterval(timer);
    await this.#queue.whenIdle();
  }

  /** Spans that end before this, in Unix nanoseconds, are too old to be kept. */
  get tooOldBeforeNs(): bigint {
    const maxAgeMs = Math.min(this.#options.retention.maxAgeDays, MANY_DAYS) * MS_PER_DAY;
    return BigInt(Math.round(this.#clock.earliestMs(this.#now()) - maxAgeMs)) * 1_000_000n;
  }

  /**
   * Spans that end after this, in Unix nanoseconds, lie in the future. A store without a limit on age accepts any time
   * that it can represent.
   */
  get futureAfterNs(): bigint {
    if (this.#options.retention.maxAgeDays >= MANY_DAYS) return LATEST_NS;
    const latestMs = Math.min(this.#clock.latestMs(this.#now()) + MAX_STEP_MS, Number.MAX_SAFE_INTEGER);
    return BigInt(Math.round(latestMs)) * 1_000_000n;
  }

  /** One run: deletes by age and by size, and frees the space of what was deleted. */
  async run(): Promise<void> {
    // First, because everything else may meet the damage.
    if (this.#store.hasDamage) await this.#replaceDamagedFile();
    await this.#observeClock();
    await this.#keepAge();
    await this.#keepSize();
    if (await this.#isRewriteDue()) await this.#rewrite();
    const stored = await this.#storedSpans();
    if (this.#store.knownSpanCount > stored * FORGOTTEN_RATIO + 1000) await this.#store.forgetDeletedSpans();
    this.#lastFailure = undefined;
  }

  #enqueue(work: () => Promise<void>): void {
    void this.#queue.run(async () => {
      if (this.#isStopped) return;
      try {
        await work();
      } catch (error) {
        const { message } = error as Error;
        // A failure that repeats every minute is reported once.
        if (!this.#isStopped && message !== this.#lastFailure) {
          this.#options.onNotice(`the upkeep of the store failed and is tried again: ${message}`);
        }
        this.#lastFailure = message;
      }
    });
  }

  async #observeClock(): Promise<void> {
    const elapsedMs = this.#elapsed();
    this.#clock.observe(this.#now(), elapsedMs - this.#lastElapsedMs);
    this.#lastElapsedMs = elapsedMs;
    const { state, isJumping } = this.#clock;
    if (isJumping && !this.#hasAnnouncedJump) {
      this.#options.onNotice(
        `the clock says ${dayText(this.#now())}, and ${dayText(state.trustedMs)} is expected: it was wrong, is wrong, or ` +
          `nothing ran for long. Nothing is deleted for its age by the new time until it has lasted ${WATCH_MS / MS_PER_HOUR} hours of running`,
      );
    }
    this.#hasAnnouncedJump = isJumping;
    if (Math.abs(state.trustedMs - this.#savedMs) < CLOCK_SAVE_MS) return;
    const changed = {
      trusted_ns: BigInt(Math.round(state.trustedMs)) * 1_000_000n,
      jump_watched_ms: BigInt(Math.round(state.watchedMs)),
    };
    await this.#store.change((connection) => transaction(connection, () => changeUpkeepRow(connection, () => changed)));
    this.#savedMs = state.trustedMs;
  }

  async #keepAge(): Promise<void> {
    const { maxAgeDays } = this.#options.retention;
    if (!Number.isFinite(maxAgeDays)) return;
    const { conversations, due, boundary } = await findDueByAge(this.#store, this.tooOldBeforeNs);
    if (boundary === undefined) {
      this.#hasAnnouncedAge = false;
      return;
    }
    if (due > conversations * MAX_SHARE_BY_AGE && due > 1 && !this.#hasAnnouncedAge) {
      this.#hasAnnouncedAge = true;
      this.#options.onNotice(
        `${due} of ${countText(conversations, 'conversation')} ended more than ${countText(maxAgeDays, 'day')} ago. ` +
          `They will be deleted, at most ${MAX_SHARE_BY_AGE * 100} % of the store in each run, beginning with the next one; ` +
          'stop this back end, or start it with a longer --max-age, to keep them',
      );
      return;
    }
    const deletion = await deleteEnded(this.#store, boundary, [], this.#now(), () => this.#isStopped);
    this.counts.conversationsDeletedByAge += deletion.conversations;
    this.#reportDeletion(deletion, `they ended more than ${countText(maxAgeDays, 'day')} ago`);
  }

  async #keepSize(): Promise<void> {
    const { maxBytes } = this.#options.retention;
    const startMs = this.#elapsed();
    const { fromBytes, untilBytes } = this.#growth.boundsFor(maxBytes);
    for (let round = 0; round < MAX_SIZE_ROUNDS && !this.#isStopped; round++) {
      const usedBytes = await this.#reclaimedBytes(fromBytes);
      if (usedBytes <= fromBytes) {
        if (round > 0) this.#growth.cycleMs = this.#elapsed() - startMs;
        return;
      }
      const excess = await findExcess(this.#store, { usedBytes, untilBytes, maxBytes });
      if (excess === undefined) return;
      const growth = fromBytes < maxBytes ? ` and grows by ${bytesText(this.#growth.bytesPerSecond)} a second` : '';
      const size = `the store takes ${bytesText(usedBytes)}${growth}, and ${bytesText(maxBytes)} are allowed`;
      this.#options.onNotice(
        `${size}: deleting what ended first, until ${dayText(Number(excess.boundary.endNs / 1_000_000n))}`,
      );
      const deletion = await deleteEnded(
        this.#store,
        excess.boundary,
        excess.largeIds,
        this.#now(),
        () => this.#isStopped,
      );
      this.counts.conversationsDeletedBySize += deletion.conversations;
      this.counts.conversationsShortened += deletion.shortened;
      this.#reportDeletion(deletion, size);
      if (deletion.spans === 0) return;
    }
  }

  /**
   * Bytes in use; a store above `maxBytes` is first rewritten without deleted rows. Otherwise more would be deleted for
   * the same excess, because space is freed by whole row groups only.
   */
  async #reclaimedBytes(maxBytes: number): Promise<number> {
    let usedBytes = await this.#usedBytes();
    if (usedBytes <= maxBytes) return usedBytes;
    await this.#store.checkpoint();
    usedBytes = await this.#usedBytes();
    if (usedBytes <= maxBytes || (await this.#unreclaimedSinceMs()) === undefined) return usedBytes;
    await this.#rewrite();
    return this.#usedBytes();
  }

  async #usedBytes(): Promise<number> {
    this.counts.usedBytes = await this.#store.usedBytes();
    return this.counts.usedBytes;
  }

  async #lookAtSize(): Promise<void> {
    const { storedSpans } = this.#store.counts();
    const newSpans = storedSpans - this.#lookedAtSpans;
    this.#lookedAtSpans = storedSpans;
    // Without a checkpoint in between, the log has grown by just these spans.
    const logBytes = await this.#store.logBytes();
    const logGrowth = logBytes - this.#lookedAtLogBytes;
    this.#lookedAtLogBytes = logBytes;
    if (newSpans > 0 && logGrowth > 0) this.#logBytesPerSpan = logGrowth / newSpans;
    this.#growth.observe(newSpans * this.#logBytesPerSpan, this.#elapsed());
    // After a failure the next run tries again; retrying every second would cost more than it gains.
    if (newSpans === 0 || this.#lastFailure !== undefined) return;
    const { fromBytes } = this.#growth.boundsFor(this.#options.retention.maxBytes);
    if ((await this.#usedBytes()) > fromBytes) await this.#keepSize();
  }

  async #isRewriteDue(): Promise<boolean> {
    if (this.#isStopped) return false;
    // A store of an older version: only a rewrite makes look-ups quick.
    if ((await this.#value('SELECT max(looked_up_until) FROM upkeep')) === null) return true;
    const fileBytes = await this.#store.fileBytes();
    const isLong = fileBytes > this.#options.retention.maxBytes * MAX_FILE_FACTOR;
    if (isLong && (await this.#usedBytes()) < fileBytes * MAX_USED_SHARE) return true;
    const sinceMs = await this.#unreclaimedSinceMs();
    if (sinceMs === undefined) return false;
    const nowMs = this.#now();
    // If the clock was set back, the age is unknown.
    return nowMs - sinceMs > MAX_UNRECLAIMED_MS || nowMs < sinceMs - MS_PER_HOUR;
  }

  async #rewrite(whole = 'what was deleted is off the disk'): Promise<void> {
    const before = await this.#store.fileBytes();
    const { lostSpans, incompleteSpans, keptAs } = await this.#store.rewrite(() => this.#isStopped);
    this.counts.rewrites += 1;
    const sizes = `${bytesText(before)} before, ${bytesText(await this.#store.fileBytes())} now`;
    if (keptAs === undefined) {
      this.#options.onNotice(`the store was rewritten, ${sizes}: ${whole}`);
      return;
    }
    this.#options.onNotice(
      `a part of the store could not be read. What could be is in a new file (${sizes}): ` +
        `${countText(lostSpans, 'span')} lost, ${countText(incompleteSpans, 'span')} without a value such as a text. ` +
        `The damaged file is kept as ${keptAs}: restore a backup if you need what is missing, else delete it, and have the disk checked`,
    );
  }

  async #replaceDamagedFile(): Promise<void> {
    this.#options.onNotice('a part of the store cannot be read; copying everything else to a new file');
    await this.#rewrite('no span was lost; what could not be read is made from the spans');
  }

  #reportDeletion({ conversations, spans, shortened, endNs }: Deletion, reason: string): void {
    this.counts.spansDeleted += spans;
    const parts = [
      `deleted ${countText(conversations, 'conversation')} (${countText(spans, 'span')}) that ended until ` +
        `${dayText(Number(endNs / 1_000_000n))}: ${reason}`,
      ...(shortened === 0
        ? []
        : [
            `${countText(shortened, 'conversation')} larger than a tenth of the size allowed lost the oldest spans only`,
          ]),
    ];
    this.#options.onNotice(parts.join('; '));
  }

  async #unreclaimedSinceMs(): Promise<number | undefined> {
    const since = await this.#value('SELECT max(unreclaimed_since_ns) FROM upkeep');
    return since === null ? undefined : Number((since as bigint) / 1_000_000n);
  }

  async #storedSpans(): Promise<number> {
    return Number(await this.#value('SELECT count(*) FROM spans'));
  }

  #value(sql: string): Promise<unknown> {
    return this.#store.read(async (connection) => (await connection.runAndReadAll(sql)).getRows()[0]![0]);
  }
}

function countText(count: number, unit: string): string {
  return `${count} ${unit}${count === 1 ? '' : 's'}`;
}

function bytesText(bytes: number): string {
  return `${(bytes / 1024 ** 2).toFixed(1)} MiB`;
}

/** A time to the minute, in UTC. */
function dayText(unixMs: number): string {
  return new Date(unixMs).toISOString().replace(/:\d\d\.\d+Z$/, 'Z');
}

/** What is remembered about the clock. A store that remembers nothing takes the time of its newest span, if it has one. */
async function readClock(connection: DuckDBConnection, nowMs: number): Promise<ClockState> {
  const remembered = await connection.runAndReadAll('SELECT trusted_ns, jump_watched_ms FROM upkeep');
  const [trustedNs, watchedMs] = (remembered.getRows()[0] ?? []) as (bigint | null | undefined)[];
  const believedNs = trustedNs ?? (await findNewestNs(connection, BigInt(nowMs) * 1_000_000n));
  const trustedMs = believedNs === undefined ? nowMs : Number(believedNs / 1_000_000n);
  return { trustedMs, watchedMs: Number(watchedMs ?? 0) };
}

/** The newest start of a span that is not after `nowNs`. */
async function findNewestNs(connection: DuckDBConnection, nowNs: bigint): Promise<bigint | undefined> {
  let newestNs: bigint | undefined;
  await readUndamaged(connection, async (condition) => {
    const sql = `SELECT max(start_ns) FROM spans WHERE start_ns <= ${nowNs} AND ${condition}`;
    const [[found] = []] = (await connection.runAndReadAll(sql)).getRows() as (bigint | null)[][];
    if (found != null && (newestNs === undefined || found > newestNs)) newestNs = found;
  });
  return newestNs;
}

import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DuckDBInstance } from '@duckdb/node-api';
import { openDuckDbSource } from '@convotel/local';
import { recent, session, summary, trace } from '@convotel/query';
import type { ConversationSource, Report } from '@convotel/query';
import { type Bench, median } from './figure.ts';
import { makeLargeStore } from './large-store.ts';

const HOUR_MS = 3_600_000;
const COPIES = { small: 10, large: 100 } as const;
const ROUNDS = 15;
const timeZone = 'UTC';

type Asked = (round: number) => Promise<Pick<Report<string, unknown>, 'coverage'>>;

/**
 * The questions that look one thing up, in a store of 1.3 million spans and in one of 13 million over the same three days:
 * in the process that asks, in turns, so that what slows the machine slows both.
 */
export const bench: Bench = async (report) => {
  const folder = await mkdtemp(join(tmpdir(), 'convotel-bench-'));
  try {
    const untilMs = Math.floor(Date.now() / HOUR_MS) * HOUR_MS;
    const paths = { small: join(folder, 'small.duckdb'), large: join(folder, 'large.duckdb') };
    for (const size of ['small', 'large'] as const) {
      await makeLargeStore({ path: paths[size], sinceMs: untilMs - 72 * HOUR_MS, untilMs, copies: COPIES[size] });
    }
    const sources = { small: await openDuckDbSource(paths.small), large: await openDuckDbSource(paths.large) };
    const asked = {
      small: await questionsOf(sources.small, untilMs - 30 * HOUR_MS),
      large: await questionsOf(sources.large, untilMs - 30 * HOUR_MS),
    };
    const raw = await rawLookUps(paths.large, sources.large, untilMs - 30 * HOUR_MS);
    for (const name of ['recent', 'summary', 'trace', 'session'] as const) {
      const { small, large, beside } = await measure({
        small: asked.small[name],
        large: asked.large[name],
        ...(name === 'summary' && { beside: raw }),
      });
      report({
        name: `${name}, 13 million spans / 1.3 million`,
        value: median(large!) / median(small!),
        unit: '×',
        atMost: 1.5,
        note: `CPU time ${median(large!).toFixed(1)} ms / ${median(small!).toFixed(1)} ms`,
      });
      if (beside === undefined) continue;
      report({
        name: `${name} / SELECT * … WHERE trace_id = …, 13 million spans`,
        value: median(large!) / median(beside),
        unit: '×',
        atMost: 4,
        note: `CPU time of the bare statement ${median(beside).toFixed(1)} ms`,
      });
    }
    for (const source of Object.values(sources)) await source.close();
  } finally {
    await rm(folder, { recursive: true });
  }
};

/** The CPU time in ms of each of `ways`, in turns; the first round, in which caches fill, does not count. */
async function measure<Way extends string>(
  ways: Partial<Record<Way, (round: number) => Promise<unknown>>>,
): Promise<Partial<Record<Way, number[]>>> {
  const cpuMs: Partial<Record<Way, number[]>> = {};
  for (let round = 0; round <= ROUNDS; round++) {
    for (const name of Object.keys(ways) as Way[]) {
      const start = process.cpuUsage();
      await ways[name]!(round);
      const { user, system } = process.cpuUsage(start);
      if (round > 0) (cpuMs[name] ??= []).push((user + system) / 1000);
    }
  }
  return cpuMs;
}

/** Each round asks for another conversation; throws where one is not found whole. */
async function questionsOf(
  source: ConversationSource,
  beforeMs: number,
): Promise<Record<'recent' | 'summary' | 'trace' | 'session', Asked>> {
  const found = await completedBefore(source, beforeMs);
  const counted = (ask: Asked, conversations: number): Asked => {
    return async (round) => {
      const answer = await ask(round);
      if (answer.coverage.conversations !== conversations || answer.coverage.spans < conversations * 5) {
        throw new Error(
          `${answer.coverage.conversations} conversations with ${answer.coverage.spans} spans were found`,
        );
      }
      return answer;
    };
  };
  const idOf = (round: number): string => found[round]!.conversationId;
  return {
    recent: counted(() => recent(source, { timeZone }), 10),
    summary: counted((round) => summary(source, { conversationId: idOf(round), timeZone }), 1),
    trace: counted((round) => trace(source, { conversationId: idOf(round), timeZone }), 1),
    session: counted((round) => session(source, { sessionId: found[round]!.sessionId!, timeZone }), 8),
  };
}

async function completedBefore(
  source: ConversationSource,
  beforeMs: number,
): Promise<{ conversationId: string; sessionId?: string; traceId: string }[]> {
  const untilUnixNano = BigInt(beforeMs) * 1_000_000n;
  const window = { sinceUnixNano: untilUnixNano - 3_600_000_000_000n, untilUnixNano };
  const { data } = await source.ask({ name: 'conversations', order: 'newest', limit: 400, window });
  return data.filter(({ outcome, sessionId }) => outcome === 'completed' && sessionId !== undefined);
}

/** The plainest statement that reads one conversation, on a connection of its own. */
async function rawLookUps(
  path: string,
  source: ConversationSource,
  beforeMs: number,
): Promise<(round: number) => Promise<void>> {
  const found = await completedBefore(source, beforeMs);
  const connection = await (await DuckDBInstance.create(path, { access_mode: 'READ_ONLY' })).connect();
  return async (round) => {
    const traceId = BigInt(`0x${found[round]!.traceId}`);
    const rows = await connection.runAndReadAll(`SELECT * FROM spans WHERE trace_id = ${traceId}`);
    if (rows.currentRowCount < 5) throw new Error(`${rows.currentRowCount} spans were found`);
  };
}

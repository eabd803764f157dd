import { useEffect, useMemo, useState } from 'preact/hooks';
import type { Coverage } from '@convotel/query/answers';
import { isMoving, windowOf } from '../address.ts';
import type { Address } from '../address.ts';
import { ask } from '../asking/ask.ts';
import type { AskError } from '../asking/ask.ts';
import { shownConversation } from '../asking/rows.ts';
import type { ShownConversation } from '../asking/rows.ts';
import type { StepParts } from '../asking/answers.ts';
import { askAgain } from '../asking/use-answer.ts';

/** Maximum number of rows per question. */
export const MOST_ROWS = 10_000;
/** Number of rows in the first question, so that the page shows something while the rest is loading. */
const FIRST_ROWS = 100;
const EVERY_MS = 2000;
/** Conversations that began this long before the newest or later may still be running, and are asked for again. */
const CHANGING_NANO = 120_000_000_000n;
/** After this many rounds, all are asked for again, to find changes in older ones. */
const ALL_EVERY_ROUNDS = 30;

/** Conversations of a window, kept up to date. */
export interface LiveConversations {
  /** Newest first; undefined until the first answer. */
  rows: ShownConversation[] | undefined;
  /** The positions of their steps, the latest answer first. */
  parts: StepParts[];
  coverage: Coverage | undefined;
  error: AskError | undefined;
}

const NOTHING: LiveConversations = { rows: undefined, parts: [], coverage: undefined, error: undefined };

/** Asks for the conversations of the address, then for new ones every two seconds while the page is visible. */
export function useLiveConversations(address: Address, zone: string): LiveConversations {
  const { since, until, filters, order } = address;
  const isLongest = order === 'longest';
  const key = JSON.stringify([since, until, filters, zone, isLongest]);
  const [live, setLive] = useState({ key, ...NOTHING });
  const moves = isMoving(address);

  useEffect(() => {
    const over = new AbortController();
    const asked = { timeZone: zone, filters };
    let known: LiveConversations = NOTHING;
    let round = 0;
    const show = (next: Partial<LiveConversations>): void => {
      if (over.signal.aborted) return;
      known = { ...known, ...next };
      setLive({ key, ...known });
    };
    const readAll = async (): Promise<void> => {
      const window = windowOf({ since, until }, Date.now());
      if (known.rows === undefined && !isLongest) {
        const first = await ask('recent', { ...asked, window, limit: FIRST_ROWS });
        show({ rows: first.data.map(shownConversation), coverage: first.coverage, error: undefined });
      }
      const [all, parts] = await Promise.all([
        ask(isLongest ? 'longest' : 'recent', { ...asked, window, limit: MOST_ROWS }),
        ask('stepParts', { window, filters }),
      ]);
      const rows = all.data.map(shownConversation).toSorted((a, b) => b.startUnixMs - a.startUnixMs);
      show({ rows, parts: [parts], coverage: all.coverage, error: undefined });
    };
    const readNew = async (before: readonly ShownConversation[]): Promise<void> => {
      const whole = windowOf({ since, until }, Date.now());
      const newest = before[0];
      const from = newest === undefined ? 0n : BigInt(Math.floor(newest.startUnixMs)) * 1_000_000n - CHANGING_NANO;
      const window = { ...whole, sinceUnixNano: from > whole.sinceUnixNano ? from : whole.sinceUnixNano };
      const [added, parts] = await Promise.all([
        ask('recent', { ...asked, window, limit: MOST_ROWS }),
        ask('stepParts', { window, filters }),
      ]);
      const changed = added.data.map(shownConversation).filter((row) => !isAmong(row, before));
      if (changed.length === 0 && known.error === undefined) return;
      show({
        rows: merge(changed, before, Number(whole.sinceUnixNano / 1_000_000n)),
        parts: [parts, ...known.parts].slice(0, 2 * ALL_EVERY_ROUNDS),
        error: undefined,
      });
    };
    void askAgain(over.signal, moves ? EVERY_MS : undefined, async () => {
      try {
        await (known.rows === undefined || round % ALL_EVERY_ROUNDS === 0 ? readAll() : readNew(known.rows));
        round += 1;
      } catch (error) {
        show({ error: error as AskError });
      }
    });
    return () => over.abort();
    // The key contains everything that the question depends on.
  }, [key, moves]);

  return live.key === key ? live : NOTHING;
}

/** The rows in the order that is set in the address. */
export function useOrdered(rows: ShownConversation[] | undefined, address: Address): ShownConversation[] | undefined {
  const { order, find } = address;
  return useMemo(() => {
    const found = find === undefined ? rows : rows?.filter(({ id }) => id.includes(find));
    if (order === 'newest') return found;
    if (order === 'longest') return found?.toSorted((a, b) => b.durationMs - a.durationMs);
    return found?.toSorted((a, b) => NEED[a.outcome] - NEED[b.outcome] || b.durationMs - a.durationMs);
  }, [rows, order, find]);
}

/** Sort order of outcomes by need for attention. */
const NEED: Readonly<Record<ShownConversation['outcome'], number>> = {
  failed: 0,
  timed_out: 0,
  abandoned: 0,
  open: 1,
  completed: 2,
  interrupted: 2,
};

function isAmong(row: ShownConversation, rows: readonly ShownConversation[]): boolean {
  const same = rows.find(({ traceId }) => traceId === row.traceId);
  return same !== undefined && JSON.stringify(same) === JSON.stringify(row);
}

function merge(
  changed: readonly ShownConversation[],
  before: readonly ShownConversation[],
  sinceUnixMs: number,
): ShownConversation[] {
  const replaced = new Set(changed.map(({ traceId }) => traceId));
  return [...changed, ...before.filter(({ traceId }) => !replaced.has(traceId))]
    .filter(({ startUnixMs }) => startUnixMs >= sinceUnixMs)
    .toSorted((a, b) => b.startUnixMs - a.startUnixMs)
    .slice(0, MOST_ROWS);
}

import { openSession } from './chdb.ts';
import type { EngineSession } from './chdb.ts';
import { ClickHouseRefusal } from './errors.ts';

/** A connection for one request. */
export interface LentSession {
  connection: EngineSession;
  /** Whether it has just been opened, so that the user's settings are not set on it yet. */
  isNew: boolean;
  giveBack(): void;
}

interface KeptSession {
  connection: EngineSession;
  isBusy: boolean;
  expiresAtMs: number;
}

/**
 * Connections of requests: a new one for each, which takes a millisecond and keeps settings and temporary tables apart,
 * and one that lasts for each `session_id`.
 */
export class Sessions {
  readonly #folder: string;
  readonly #kept = new Map<string, KeptSession>();

  constructor(folder: string) {
    this.#folder = folder;
  }

  /** @throws `ClickHouseRefusal` 372 and 373, as ClickHouse does. */
  lend(userName: string, parameters: URLSearchParams): LentSession {
    const id = parameters.get('session_id');
    if (id === null) {
      const connection = openSession(this.#folder);
      return { connection, isNew: true, giveBack: () => connection.close() };
    }
    this.#closeExpired();
    const key = `${userName}\0${id}`;
    const known = this.#kept.get(key);
    if (known === undefined && parameters.get('session_check') === '1') {
      throw new ClickHouseRefusal(372, 'SESSION_NOT_FOUND', `Session ${id} not found.`);
    }
    if (known?.isBusy) {
      throw new ClickHouseRefusal(373, 'SESSION_IS_LOCKED', `Session ${id} is locked by a concurrent client.`);
    }
    const session = known ?? { connection: openSession(this.#folder), isBusy: false, expiresAtMs: 0 };
    this.#kept.set(key, session);
    session.isBusy = true;
    session.expiresAtMs = Date.now() + 1000 * Number(parameters.get('session_timeout') ?? 60);
    return { connection: session.connection, isNew: known === undefined, giveBack: () => (session.isBusy = false) };
  }

  #closeExpired(): void {
    for (const [key, session] of this.#kept) {
      if (session.isBusy || session.expiresAtMs > Date.now()) continue;
      session.connection.close();
      this.#kept.delete(key);
    }
  }
}

import { existsSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import type {
  Answer,
  ClickHouseSourceOptions,
  ConversationSource,
  Question,
  QuestionName,
  Questions,
  SourceKind,
} from '@convotel/query';
import { UsageError } from '../usage-error.ts';

/** Where to read from, as it was written. */
export interface SourceTexts {
  from: string | undefined;
  store: string | undefined;
  /** What `convotel.json` says, where nothing was written. */
  setting?: string | undefined;
}

/** Who is told what a source has to say besides its answers. */
export type SourceListeners = Pick<ClickHouseSourceOptions, 'onNotice' | 'onProgress'>;

type Environment = Readonly<Record<string, string | undefined>>;

/**
 * Opens what `--from` names: `local` is the running `convotel serve` that holds the store, else the store's file.
 * @throws {@link UsageError} when `--from` is empty, or does not go with `--store`.
 * @throws `SourceError` when the source cannot be opened.
 */
export async function openSource(
  texts: SourceTexts,
  environment: Environment,
  listeners: SourceListeners = {},
): Promise<ConversationSource> {
  const { store } = texts;
  const where = resolveWhere(texts, environment);
  if (where === '')
    throw new UsageError(
      '--from is empty. Give local, an http:// or clickhouse:// address, or a file of OTLP/JSON lines.',
    );
  if (where === 'local') return openLocal(resolveStorePath(store, environment));
  if (store !== undefined) throw new UsageError('--store chooses the file of --from local; leave out one of the two.');

  if (/^clickhouse:\/\//i.test(where)) {
    const { openClickHouseSource } = await import('@convotel/query');
    // Never as arguments or in the address: other users of the machine can read those.
    const username = environment['CONVOTEL_CLICKHOUSE_USER'];
    const password = environment['CONVOTEL_CLICKHOUSE_PASSWORD'];
    return openClickHouseSource(where, { username, password, ...listeners });
  }
  const address = addressOf(where);
  if (address !== undefined) {
    if (!URL.canParse(address)) {
      throw new UsageError(
        '--from is not a valid address. Give one such as http://localhost:16686, with host and port.',
      );
    }
    const { openHttpSource } = await import('@convotel/query');
    return openHttpSource(address);
  }
  if (/^[a-z][a-z\d+.-]*:\/\/|@.*:\d+(?:\/|$)/is.test(where) && !existsSync(where)) {
    throw new UsageError('--from takes an http:// or https:// address, such as http://name:password@host:16686.');
  }
  const { openFileSource } = await import('@convotel/query');
  return openFileSource(where);
}

/**
 * The same for a program that asks again and again: `local` is looked up again for every question, so that
 * `convotel serve` may come and go meanwhile and finds its file free.
 */
export async function openLastingSource(texts: SourceTexts, environment: Environment): Promise<ConversationSource> {
  if (resolveWhere(texts, environment) !== 'local') return openSource(texts, environment);
  const storePath = resolveStorePath(texts.store, environment);
  return new ReopeningSource('local', storePath, () => openLocal(storePath));
}

/**
 * Where the embedded back end keeps its file: the option, else `CONVOTEL_STORE`, else
 * `$XDG_DATA_HOME/convotel/conversations.duckdb` with the base directory specification's default `~/.local/share`.
 */
export function resolveStorePath(asked: string | undefined, environment: Environment): string {
  const chosen = asked ?? environment['CONVOTEL_STORE'];
  if (chosen !== undefined && chosen !== '') return chosen;
  const dataHome = environment['XDG_DATA_HOME'] || join(environment['HOME'] || homedir(), '.local', 'share');
  return join(dataHome, 'convotel', 'conversations.duckdb');
}

/**
 * `where` as an address; a host with a port, such as `localhost:16686` or `:4318`, is one too unless a file has that
 * name.
 */
function addressOf(where: string): string | undefined {
  if (/^https?:\/\//i.test(where)) return where;
  if (existsSync(where)) return undefined;
  const [, host, rest] = /^([\w.-]*|\[[\da-f:.]+\])(:\d{1,5}(?:\/.*)?)$/i.exec(where) ?? [];
  if (rest !== undefined) return `http://${host || 'localhost'}${rest}`;
  if (/^(?:localhost|\d{1,3}(?:\.\d{1,3}){3})$/i.test(where)) {
    throw new UsageError(
      `--from ${where} has no port. Did you mean ${where}:4318 (convotel serve) or ${where}:16686 (Jaeger)?`,
    );
  }
  return undefined;
}

/** What was written goes before the environment, and that before the settings; a store is that of `local`. */
export function resolveWhere({ from, store, setting }: SourceTexts, environment: Environment): string {
  if (from !== undefined) return from;
  if (store !== undefined) return 'local';
  return environment['CONVOTEL_FROM'] || (environment['CONVOTEL_STORE'] ? 'local' : (setting ?? 'local'));
}

async function openLocal(storePath: string): Promise<ConversationSource> {
  const { findRunningBackend, openDuckDbSource } = await import('@convotel/local');
  const url = await findRunningBackend(storePath);
  if (url === undefined) return openDuckDbSource(storePath);
  const { ServeSource } = await import('@convotel/query');
  return new ServeSource(url);
}

/**
 * A source that is opened for every question and closed after it, for programs that run long: meanwhile others may take
 * the store's file, a back end may go away and come back, and the next question finds whoever is there.
 */
class ReopeningSource implements ConversationSource {
  readonly kind: SourceKind;
  readonly location: string;
  readonly #open: () => Promise<ConversationSource>;

  constructor(kind: SourceKind, location: string, open: () => Promise<ConversationSource>) {
    this.kind = kind;
    this.location = location;
    this.#open = open;
  }

  async ask<Name extends QuestionName>(question: Question<Name>): Promise<Answer<Questions[Name]['answer']>> {
    const source = await this.#open();
    try {
      return await source.ask(question);
    } finally {
      await source.close();
    }
  }

  /** Nothing is open between two questions. */
  async close(): Promise<void> {}
}

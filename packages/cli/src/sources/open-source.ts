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
import { UsageError } from '../terminal.ts';

/** Where to read from, as it was written. */
export interface SourceTexts {
  from: string | undefined;
  store: string | undefined;
  /** The value in `convotel.json`, used when no option was given. */
  setting?: string | undefined;
}

/** Receives notices of a source besides its answers. */
export type SourceListeners = Pick<ClickHouseSourceOptions, 'onNotice' | 'onProgress'>;

type Environment = Readonly<Record<string, string | undefined>>;

/**
 * Opens what `--from` names: `local` is the running `convotel serve` that holds the store, else the store's file.
 * @throws {@link UsageError} when `--from` is empty, or conflicts with `--store`.
 * @throws `SourceError` when the source cannot be opened.
 */
export async function openSource(
  texts: SourceTexts,
  environment: Environment,
  listeners: SourceListeners = {},
): Promise<ConversationSource> {
  const { store } = texts;
  const where = resolveWhere(texts, environment);
  if (where === 'local') return openLocal(resolveStorePath(store, environment), environment);
  if (store !== undefined) throw new UsageError('--store chooses the file of --from local; leave out one of the two.');

  const { connect, QueryError } = await import('@convotel/query');
  // Never as arguments or in the address: other users of the machine can read those.
  const username = environment['CONVOTEL_CLICKHOUSE_USER'];
  const password = environment['CONVOTEL_CLICKHOUSE_PASSWORD'];
  try {
    return await connect(where, { username, password, token: tokenIn(environment), ...listeners });
  } catch (error) {
    throw error instanceof QueryError ? mistakenFrom(error) : error;
  }
}

/**
 * The address of the `convotel serve` that `where` names; undefined when it names something else. @throws {@link
 * UsageError}
 */
export async function serveAddressIn(where: string): Promise<string | undefined> {
  const { addressOf, socketPathOf } = await import('@convotel/query/engine');
  try {
    return socketPathOf(where) === undefined ? addressOf(where) : where;
  } catch (error) {
    throw mistakenFrom(error as Error);
  }
}

function mistakenFrom(error: Error): UsageError {
  return new UsageError(error.message.replace(/^where\b/, '--from'), { cause: error });
}

/**
 * The same for a program that asks repeatedly: `local` is looked up again for every question, so that `convotel serve`
 * may start and stop meanwhile and finds its file unlocked.
 */
export async function openLastingSource(texts: SourceTexts, environment: Environment): Promise<ConversationSource> {
  if (resolveWhere(texts, environment) !== 'local') return openSource(texts, environment);
  const storePath = resolveStorePath(texts.store, environment);
  return new ReopeningSource('local', storePath, () => openLocal(storePath, environment));
}

/**
 * Where the embedded back end keeps its file: the option, else `CONVOTEL_STORE`, else
 * `$XDG_DATA_HOME/convotel/conversations.duckdb` with the base directory specification's default `~/.local/share`.
 */
export function resolveStorePath(asked: string | undefined, environment: Environment): string {
  return findStorePath(asked, environment).value;
}

/** The same, and where it comes from. */
export function findStorePath(asked: string | undefined, environment: Environment): Setting {
  if (asked !== undefined && asked !== '') return { value: asked, saidBy: '--store' };
  const variable = asked === undefined ? environment['CONVOTEL_STORE'] : undefined;
  if (variable) return { value: variable, saidBy: 'CONVOTEL_STORE' };
  const xdg = environment['XDG_DATA_HOME'];
  const dataHome = xdg || join(environment['HOME'] || homedir(), '.local', 'share');
  return { value: join(dataHome, 'convotel', 'conversations.duckdb'), saidBy: xdg ? 'XDG_DATA_HOME' : 'default' };
}

/**
 * The token for a `convotel serve`, from the environment: other users of the machine can read arguments, but not that.
 */
export function tokenIn(environment: Environment): string | undefined {
  return environment['CONVOTEL_TOKEN'] || undefined;
}

/** The value of a setting, and where it comes from. */
export interface Setting {
  value: string;
  saidBy: string;
}

/** The option takes precedence over the environment, and that over the settings; a store implies `local`. */
export function resolveWhere(texts: SourceTexts, environment: Environment): string {
  return findWhere(texts, environment).value;
}

/** Where a command reads, and where that setting comes from. */
export function findWhere({ from, store, setting }: SourceTexts, environment: Environment): Setting {
  if (from !== undefined) return { value: from, saidBy: '--from' };
  if (store !== undefined) return { value: 'local', saidBy: '--store' };
  const variable = environment['CONVOTEL_FROM'];
  if (variable) return { value: variable, saidBy: 'CONVOTEL_FROM' };
  if (environment['CONVOTEL_STORE']) return { value: 'local', saidBy: 'CONVOTEL_STORE' };
  return setting === undefined ? { value: 'local', saidBy: 'default' } : { value: setting, saidBy: 'convotel.json' };
}

async function openLocal(storePath: string, environment: Environment): Promise<ConversationSource> {
  const { connect } = await import('@convotel/local');
  return connect('local', { storePath, token: tokenIn(environment) });
}

/**
 * A source that is opened for every question and closed after it, for long-running programs: meanwhile other processes
 * may open the file of the store, and a back end may stop and start again.
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

  /** Nothing is open between questions. */
  async close(): Promise<void> {}
}

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

/** Where to read from, unparsed. */
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
 * Opens the source in `--from`. `local` is the running `convotel serve` that has the store open, else the store's file.
 * @throws {@link UsageError} if `--from` is empty or conflicts with `--store`.
 * @throws `SourceError` if the source cannot be opened.
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
  // Never from arguments, because other users of the machine can read those.
  const username = environment['CONVOTEL_CLICKHOUSE_USER'];
  const password = environment['CONVOTEL_CLICKHOUSE_PASSWORD'];
  try {
    return await connect(where, { username, password, token: tokenIn(environment), ...listeners });
  } catch (error) {
    throw error instanceof QueryError ? mistakenFrom(error) : error;
  }
}

/**
 * The address of the `convotel serve` in `where`; undefined if it is another kind of source. @throws {@link
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
 * Like {@link openSource}, for commands that ask repeatedly: `local` is resolved again for every question, so that
 * `convotel serve` can start and stop meanwhile, and finds the file unlocked.
 */
export async function openLastingSource(texts: SourceTexts, environment: Environment): Promise<ConversationSource> {
  if (resolveWhere(texts, environment) !== 'local') return openSource(texts, environment);
  const storePath = resolveStorePath(texts.store, environment);
  return new ReopeningSource('local', storePath, () => openLocal(storePath, environment));
}

/**
 * Path of the embedded back end's store: the option, else `CONVOTEL_STORE`, else
 * `$XDG_DATA_HOME/convotel/conversations.duckdb`, with the default `~/.local/share` (XDG Base Directory Specification).
 */
export function resolveStorePath(asked: string | undefined, environment: Environment): string {
  return findStorePath(asked, environment).value;
}

/** Like {@link resolveStorePath}, with where the path comes from. */
export function findStorePath(asked: string | undefined, environment: Environment): Setting {
  if (asked !== undefined && asked !== '') return { value: asked, saidBy: '--store' };
  const variable = asked === undefined ? environment['CONVOTEL_STORE'] : undefined;
  if (variable) return { value: variable, saidBy: 'CONVOTEL_STORE' };
  const xdg = environment['XDG_DATA_HOME'];
  const dataHome = xdg || join(environment['HOME'] || homedir(), '.local', 'share');
  return { value: join(dataHome, 'convotel', 'conversations.duckdb'), saidBy: xdg ? 'XDG_DATA_HOME' : 'default' };
}

/**
 * The token for a `convotel serve`. It is in the environment because other users of the machine can read arguments.
 */
export function tokenIn(environment: Environment): string | undefined {
  return environment['CONVOTEL_TOKEN'] || undefined;
}

/** The value of a setting, and where it comes from. */
export interface Setting {
  value: string;
  saidBy: string;
}

/** The option takes precedence over the environment, and the environment over the settings. A store implies `local`. */
export function resolveWhere(texts: SourceTexts, environment: Environment): string {
  return findWhere(texts, environment).value;
}

/** Like {@link resolveWhere}, with where the setting comes from. */
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
 * Opens the source for every question and closes it afterwards, for long-running commands. In between, other processes
 * can open the store's file, and the back end may restart.
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

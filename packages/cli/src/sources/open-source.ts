import type { ConversationSource } from '@convotel/query';
import { UsageError } from '../command-line/usage-error.ts';
import { ReopeningSource } from './reopening-source.ts';
import { resolveStorePath } from './store-path.ts';

/** Where to read from, as it was written. */
export interface SourceTexts {
  from: string | undefined;
  store: string | undefined;
}

/**
 * Opens what `--from` names: `local` is the running `convotel serve` that holds the store, else the store's file.
 * @throws {@link UsageError} when `--from` is empty, or does not go with `--store`.
 * @throws `SourceError` when the source cannot be opened.
 */
export async function openSource(
  { from, store }: SourceTexts,
  environment: Readonly<Record<string, string | undefined>>,
): Promise<ConversationSource> {
  const where = resolveWhere({ from, store }, environment);
  if (where === '')
    throw new UsageError('--from is empty. Give local, an http:// address, or a file of OTLP/JSON lines.');
  if (where === 'local') return openLocal(resolveStorePath(store, environment));
  if (store !== undefined) throw new UsageError('--store chooses the file of --from local; leave out one of the two.');

  if (/^https?:\/\//i.test(where)) {
    if (!URL.canParse(where)) {
      throw new UsageError('--from is no address. Give one such as http://localhost:16686, with host and port.');
    }
    const { openHttpSource } = await import('@convotel/query');
    return openHttpSource(where);
  }
  const { openFileSource } = await import('@convotel/query');
  return openFileSource(where);
}

/**
 * The same for a program that asks again and again: `local` is looked up anew for every question, so that `convotel
 * serve` may come and go meanwhile and finds its file free.
 */
export async function openLastingSource(
  texts: SourceTexts,
  environment: Readonly<Record<string, string | undefined>>,
): Promise<ConversationSource> {
  if (resolveWhere(texts, environment) !== 'local') return openSource(texts, environment);
  const storePath = resolveStorePath(texts.store, environment);
  return new ReopeningSource('local', storePath, () => openLocal(storePath));
}

/** A store asked for goes before a place that only the environment names. */
function resolveWhere({ from, store }: SourceTexts, environment: Readonly<Record<string, string | undefined>>): string {
  return from ?? (store === undefined ? environment['CONVOTEL_FROM'] || 'local' : 'local');
}

async function openLocal(storePath: string): Promise<ConversationSource> {
  const { findRunningBackend, openDuckDbSource } = await import('@convotel/local');
  const url = await findRunningBackend(storePath);
  if (url === undefined) return openDuckDbSource(storePath);
  const { ServeSource } = await import('@convotel/query');
  return new ServeSource(url);
}

import { existsSync, readFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { UsageError } from '../usage-error.ts';
import type { Terminal } from '../terminal.ts';
import type { Settings } from './settings.ts';

const FILE_NAME = 'convotel.json';

/** A file of settings, and who names it. */
export interface SettingsFile {
  path: string;
  namedBy: '--config' | 'CONVOTEL_CONFIG' | 'the working folder';
}

/** The file whose settings hold, whether or not it can be read; undefined where there is none. */
export function findSettingsFile(asked: string | undefined, terminal: Terminal): SettingsFile | undefined {
  const { environment, workingFolder } = terminal;
  if (asked !== undefined) return { path: asked, namedBy: '--config' };
  const named = environment['CONVOTEL_CONFIG'];
  if (named) return { path: named, namedBy: 'CONVOTEL_CONFIG' };
  const path = findAbove(workingFolder);
  return path === undefined ? undefined : { path, namedBy: 'the working folder' };
}

/**
 * The settings of `--config`, else of `CONVOTEL_CONFIG`, else of the nearest `convotel.json` in the working folder or
 * above it; none where there is no such file.
 * @throws {@link UsageError} naming the file, and the key in it, when they cannot be read.
 */
export async function readSettings(asked: string | undefined, terminal: Terminal): Promise<Settings> {
  const file = findSettingsFile(asked, terminal);
  if (file === undefined) return {};
  const { path } = file;
  const { SETTINGS, SettingsProblem } = await import('./settings.ts');
  try {
    const settings = SETTINGS.read(JSON.parse(readFileSync(path, 'utf8')), '');
    return settings.from === undefined ? settings : { ...settings, from: besideFile(settings.from, path) };
  } catch (error) {
    if (error instanceof SettingsProblem) throw new UsageError(`${path}: ${error.message}`, { cause: error });
    if (error instanceof SyntaxError) {
      throw new UsageError(`${path} is not valid JSON: ${error.message}`, { cause: error });
    }
    const reason = error instanceof Error ? error.message : String(error);
    throw new UsageError(
      `The settings cannot be read: ${reason}. ${asked === undefined ? 'CONVOTEL_CONFIG' : '--config'} names the file.`,
      {
        cause: error,
      },
    );
  }
}

function findAbove(folder: string | undefined): string | undefined {
  if (folder === undefined) return undefined;
  const path = join(folder, FILE_NAME);
  if (existsSync(path)) return path;
  const above = dirname(folder);
  return above === folder ? undefined : findAbove(above);
}

/** A relative path in the settings is relative to the settings file; addresses stay as they are. */
function besideFile(from: string, path: string): string {
  const isAddress = /^(?:https?|clickhouse|unix):/i.test(from) || /^[^/\\]+:\d{1,5}(?:\/.*)?$/.test(from);
  const isFile = from !== 'local' && !isAddress;
  return isFile ? resolve(dirname(path), from) : from;
}

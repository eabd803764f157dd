import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** A program of the stack that is built from Go modules, because no container can be run everywhere. */
export interface Program {
  /** Name of its folder of definition files. */
  name: 'collector' | 'jaeger' | 'prometheus';
  /** What the folder holds when it is built. */
  binaries: readonly string[];
  /** Folders below `tests/stack/programs` whose files decide what is built. */
  definitions: readonly string[];
}

/** What `npm run stack:build` builds, the quickest way to something useful first. */
export const PROGRAMS: readonly Program[] = [
  { name: 'jaeger', binaries: ['jaeger'], definitions: ['jaeger'] },
  { name: 'collector', binaries: ['collector'], definitions: ['builder', 'collector'] },
  { name: 'prometheus', binaries: ['prometheus', 'promtool'], definitions: ['prometheus'] },
];

const DEFINITIONS_FOLDER = fileURLToPath(new URL('../../programs/', import.meta.url));
/** Changes when the way of building does, so that programs built another way are not taken for these. */
const RECIPE = '1';

/** Folder with a program's definition files. */
export function definitionFolder(name: string): string {
  return join(DEFINITIONS_FOLDER, name);
}

/**
 * Folder that holds the built binaries: outside the checkout, and another one for every content of the definition
 * files, so that what lies there never has to be asked whether it is current.
 */
export function builtFolder({ name, definitions }: Program): string {
  const hash = createHash('sha256').update(`${RECIPE} ${process.platform} ${process.arch}\n`);
  for (const definition of definitions) {
    for (const file of readdirSync(definitionFolder(definition)).toSorted()) {
      hash.update(`${definition}/${file}\n`).update(readFileSync(join(definitionFolder(definition), file)));
    }
  }
  return join(cacheFolder(), `${name}-${hash.digest('hex').slice(0, 16)}`);
}

/** Path of a built binary, such as `promtool`. */
export function binaryPath(binary: string): string {
  const program = PROGRAMS.find(({ binaries }) => binaries.includes(binary));
  if (program === undefined) throw new Error(`No program of the stack is called ${binary}.`);
  return join(builtFolder(program), binary);
}

/** Where everything is kept that is made once for the stack: `$XDG_CACHE_HOME/convotel/stack`. */
export function cacheFolder(): string {
  return join(process.env['XDG_CACHE_HOME'] || join(homedir(), '.cache'), 'convotel', 'stack');
}

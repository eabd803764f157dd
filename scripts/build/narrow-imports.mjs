import { readFileSync } from 'node:fs';

/** What a plugin's own modules begin with. */
const PREFIX = '\0narrow:';

/** Whether `id` is one of these modules, which only hand on what others define. */
export const isNarrowed = (/** @type {string} */ id) => id.startsWith(PREFIX);

/**
 * Makes `const { a, b } = await import('@convotel/local')` load what `a` and `b` need, not all that the package exports.
 * @returns {import('rolldown').Plugin}
 */
export function narrowImports() {
  /** @type {Map<string, { names: string, specifier: string, importer: string }>} */
  const narrow = new Map();
  return {
    name: 'narrow-imports',
    transform(code, importer) {
      if (!code.includes('await import(')) return null;
      const pattern = /const \{ ([\w$, ]+) \} = await import\((['"])(@convotel\/[\w/-]+)\2\)/g;
      const text = code.replaceAll(pattern, (_all, names, _quote, specifier) => {
        const id = `${PREFIX}${specifier}:${names.split(', ').join('+')}`;
        narrow.set(id, { names, specifier, importer });
        return `const { ${names} } = await import(${JSON.stringify(id)})`;
      });
      return { code: text, map: null };
    },
    resolveId: (id) => (narrow.has(id) ? { id, moduleSideEffects: false } : null),
    async load(id) {
      const wanted = narrow.get(id);
      if (wanted === undefined) return null;
      const resolve = async (/** @type {string} */ specifier, /** @type {string} */ importer) => {
        const resolved = await this.resolve(specifier, importer);
        if (resolved === null) throw new Error(`${importer} imports ${specifier}, which is not there`);
        return resolved.id;
      };
      const entry = await resolve(wanted.specifier, wanted.importer);
      const exports = wanted.names.split(', ').map(async (name) => {
        const definedIn = await definingModule(name, entry, resolve);
        return `export { ${name} } from ${JSON.stringify(definedIn)};`;
      });
      return (await Promise.all(exports)).join('\n');
    },
  };
}

/**
 * Which module defines what `path` exports as `name`, so that a chunk need not hold all that stands beside it in a list
 * of exports.
 * @param {string} name
 * @param {string} path
 * @param {(specifier: string, importer: string) => Promise<string>} resolve
 * @returns {Promise<string>}
 */
async function definingModule(name, path, resolve) {
  for (const [, names = '', from = ''] of readFileSync(path, 'utf8').matchAll(
    /^export \{([^}]*)\} from '([^']+)';/gm,
  )) {
    if (!names.split(',').some((each) => each.trim() === name)) continue;
    return definingModule(name, await resolve(from, path), resolve);
  }
  return path;
}

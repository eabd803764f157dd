/** What a plugin's own modules begin with. */
const PREFIX = '\0narrow:';

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
      const resolved = await this.resolve(wanted.specifier, wanted.importer);
      if (resolved === null) throw new Error(`${wanted.importer} imports ${wanted.specifier}, which is not there`);
      return `export { ${wanted.names} } from ${JSON.stringify(resolved.id)};`;
    },
  };
}

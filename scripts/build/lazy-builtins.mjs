/**
 * Lets a CommonJS program load a module of Node's when it first uses it. Node's own modules have no effects that a program
 * could miss, and those for HTTP, hashing and processes take a tenth of a short command's time.
 * @returns {import('rolldown').Plugin}
 */
export function lazyBuiltins() {
  return {
    name: 'lazy-builtins',
    transform(code, id) {
      // Commander starts subcommands that are programs of their own; convotel has none.
      if (!id.includes('/node_modules/commander/')) return null;
      return { code: lazily(code, /^const (childProcess) = require\('(node:child_process)'\);$/gm), map: null };
    },
    renderChunk(code) {
      // The names are the bundler's own, and unique in a chunk.
      return { code: lazily(code, /^let (node_\w+) = require\("(node:[\w/]+)"\);$/gm), map: null };
    },
  };
}

/**
 * Makes `name.member` out of a declaration into a call that loads the module once. Lines stay lines. The call stands in
 * parentheses, so that `new name.Member()` stays what it was.
 * @param {string} code
 * @param {RegExp} declaration - finds the declared name and the module
 */
function lazily(code, declaration) {
  /** @type {string[]} */
  const names = [];
  const declared = code.replaceAll(declaration, (_text, name, module) => {
    names.push(name);
    return `let loaded_${name}; const load_${name} = () => (loaded_${name} ??= require(${JSON.stringify(module)}));`;
  });
  return names.reduce((text, name) => text.replaceAll(new RegExp(`\\b${name}\\.`, 'g'), `(load_${name}()).`), declared);
}

import { fileURLToPath } from 'node:url';

/** @type {import('vite').UserConfig} */
export default {
  root: fileURLToPath(new URL('.', import.meta.url)),
  // Relative, so that the page also works below a path of a proxy.
  base: './',
  // Our packages are bundled from their sources, like the command.
  resolve: { conditions: ['@convotel/source', 'module', 'browser'] },
  oxc: { jsx: { runtime: 'automatic', importSource: 'preact' } },
  worker: { format: 'es' },
  build: {
    outDir: '../cli/dist/page',
    emptyOutDir: true,
    target: ['chrome120', 'firefox121', 'safari17'],
    // The policy of the page allows no `data:`.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    reportCompressedSize: false,
  },
};

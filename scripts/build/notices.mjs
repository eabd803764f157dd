import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/**
 * Writes the licenses of what is bundled from `node_modules` into `THIRD-PARTY-LICENSES.txt` in `folder`.
 * @param {string} folder
 * @returns {import('rolldown').Plugin}
 */
export function writeNotices(folder) {
  return {
    name: 'notices',
    generateBundle(_options, bundle) {
      /** @type {Set<string>} */
      const roots = new Set();
      for (const chunk of Object.values(bundle)) {
        for (const id of chunk.type === 'chunk' ? chunk.moduleIds : []) {
          const root = /^.*\/node_modules\/(?:@[^/]+\/)?[^/]+/.exec(id)?.[0];
          if (root !== undefined) roots.add(root);
        }
      }
      const notices = [...roots]
        .toSorted((a, b) => a.localeCompare(b))
        .map((root) => {
          const { name, version, license } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
          const file = readdirSync(root).find((each) => /^licen[cs]e(\.\w+)?$/i.test(each));
          const text = file === undefined ? '' : `\n\n${readFileSync(join(root, file), 'utf8').trim()}`;
          return `${name} ${version}, ${license}${text}\n`;
        });
      if (!existsSync(folder)) mkdirSync(folder, { recursive: true });
      writeFileSync(join(folder, 'THIRD-PARTY-LICENSES.txt'), notices.join(`\n${'-'.repeat(80)}\n\n`));
    },
  };
}

import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The project's folder. */
export const ROOT = resolve(dirname(fileURLToPath(import.meta.url)), '../..');

/** One fenced block of a document. */
export interface CodeBlock {
  /** `README.md:57`: the document and the line on which the block begins. */
  place: string;
  language: string;
  text: string;
}

/** Every fenced block of every document that users read, in order. */
export function codeBlocks(): CodeBlock[] {
  return documents().flatMap((path) => {
    const lines = readFileSync(path, 'utf8').split('\n');
    const blocks: CodeBlock[] = [];
    let open: { language: string; line: number; text: string[] } | undefined;
    for (const [index, line] of lines.entries()) {
      const fence = /^\s*```(\w*)/.exec(line);
      if (fence === null) {
        open?.text.push(line);
      } else if (open === undefined) {
        open = { language: fence[1] ?? '', line: index + 1, text: [] };
      } else {
        const { language, line: first, text } = open;
        blocks.push({ place: `${relative(ROOT, path)}:${first}`, language, text: text.join('\n') });
        open = undefined;
      }
    }
    return blocks;
  });
}

function documents(): string[] {
  const folders = ['docs', 'packages', 'examples'].flatMap((folder) =>
    readdirSync(join(ROOT, folder), { recursive: true, encoding: 'utf8' }).map((path) => join(folder, path)),
  );
  return ['README.md', 'CONTRIBUTING.md', ...folders]
    .filter((path) => path.endsWith('.md') && !/node_modules|\bdist\b/.test(path))
    .map((path) => join(ROOT, path));
}

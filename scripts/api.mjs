/**
 * Writes `docs/api.md` from the declarations in `dist/esm` and their comments.
 *
 *     node scripts/api.mjs            writes it
 *     node scripts/api.mjs --check    exits with status 1 when it is not what is committed
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import typescript from 'typescript';
import { readPackages, ROOT } from './build/packages.mjs';

/** @typedef {import('typescript').Symbol} Symbol_ */
/** @typedef {import('typescript').Declaration} Declaration */

const PATH = join(ROOT, 'docs/api.md');
const HEAD = `# API

What each package exports, with the types and comments of the sources. Written by \`npm run api\`; \`npm run check\` says when
it is out of date.
`;

/** @type {Readonly<Record<string, string>>} */
const TAG_NAMES = { returns: 'Returns', throws: 'Throws', defaultValue: 'Default:', example: 'Example:', see: 'See' };

/** In the order in which somebody meets them. */
const ORDER = ['@convotel/tracing', '@convotel/sdk', '@convotel/query', '@convotel/local', '@convotel/conventions'];

const entries = readPackages()
  .toSorted((a, b) => placeOf(a.manifest.name) - placeOf(b.manifest.name))
  .flatMap(({ folder, manifest, entries: sources }) =>
    Object.keys(sources).map((entry) => ({
      specifier: entry === 'index' ? manifest.name : `${manifest.name}/${entry}`,
      description: /** @type {{ description: string }} */ (/** @type {unknown} */ (manifest)).description,
      path: join(folder, 'dist/esm', `${entry}.d.ts`),
    })),
  );
const program = typescript.createProgram(
  entries.map(({ path }) => path),
  {
    module: typescript.ModuleKind.NodeNext,
    moduleResolution: typescript.ModuleResolutionKind.NodeNext,
    target: typescript.ScriptTarget.ES2023,
    strict: true,
    skipLibCheck: true,
  },
);
const checker = program.getTypeChecker();
/** Where a declaration was described first; later entries that export it again refer to that. */
const described = new Map();
/** @type {string[]} */
const uncommented = [];

const text = `${[HEAD, ...entries.map(describeEntry)].join('\n')}`;
if (process.argv.includes('--check')) {
  const problems = uncommented.map((name) => `${name} is exported without a comment.`);
  if (text !== readFileSync(PATH, 'utf8')) problems.push('docs/api.md is out of date; run: npm run api');
  for (const problem of problems) console.error(problem);
  if (problems.length > 0) process.exitCode = 1;
} else {
  writeFileSync(PATH, text);
  for (const name of uncommented) console.error(`${name} is exported without a comment.`);
}

/** @param {{ specifier: string, description: string, path: string }} entry */
function describeEntry({ specifier, description, path }) {
  const source = program.getSourceFile(path);
  const module = source && checker.getSymbolAtLocation(source);
  if (module === undefined) throw new Error(`${path} is not there or exports nothing; run: npm run build`);
  const exported = checker.getExportsOfModule(module).toSorted((a, b) => compareNames(a.name, b.name));
  const head = specifier.split('/').length > 2 ? '' : `${description}\n\n`;
  return `## ${specifier}\n\n${head}${exported.map((symbol) => describeExport(symbol, specifier)).join('\n')}`;
}

/**
 * @param {Symbol_} exported
 * @param {string} specifier
 */
function describeExport(exported, specifier) {
  const symbol = exported.flags & typescript.SymbolFlags.Alias ? checker.getAliasedSymbol(exported) : exported;
  const heading = `### ${exported.name}\n`;
  const earlier = described.get(symbol);
  if (earlier !== undefined) return `${heading}\nThe one of \`${earlier}\`.\n`;
  described.set(symbol, specifier);

  const comment = commentOf(symbol);
  if (comment === '') uncommented.push(`${specifier}: ${exported.name}`);
  const declarations = (symbol.declarations ?? []).map(declarationText);
  return `${heading}\n${comment === '' ? '' : `${comment}\n\n`}\`\`\`typescript\n${declarations.join('\n')}\n\`\`\`\n`;
}

/**
 * The comment above a symbol's first declaration that has one. TypeScript's own parser takes the link of
 * `@throws {@link X}` for a type, so the tags are read here.
 * @param {Symbol_} symbol
 */
function commentOf(symbol) {
  const [comment = ''] = (symbol.declarations ?? []).flatMap((declaration) => {
    const blocks = typescript.getJSDocCommentsAndTags(declaration).filter(typescript.isJSDoc);
    return blocks.map((block) => block.getText());
  });
  const body = comment.replace(/^\/\*\*\s?|\s*\*\/$/g, '').replaceAll(/^\s*\* ?/gm, '');
  const [sentences = '', ...tags] = body.split(/(?:^|(?<=\s))@(?=(?:param|returns|throws|defaultValue|example|see)\b)/);
  return [linked(sentences).trim(), tags.map(tagLine).join('\n')].filter((part) => part !== '').join('\n\n');
}

/** @param {string} tag - such as `param name - What it is.` */
function tagLine(tag) {
  const [, name = '', said = ''] =
    /^(\w+)\s*([^]*)$/.exec(
      linked(tag)
        .trim()
        .replaceAll(/\s*\n\s*/g, ' '),
    ) ?? [];
  return name === 'param' ? `- \`${said.replace(/\s+(- )?/, '`: ')}` : `- *${TAG_NAMES[name] ?? name}* ${said}`;
}

/** The declaration as it stands, with the comments of its members, without `export` and its own comment. */
function declarationText(/** @type {Declaration} */ declaration) {
  const isVariable = typescript.isVariableDeclaration(declaration);
  // `const` and its modifiers stand around the declaration.
  const node = isVariable ? declaration.parent.parent : declaration;
  const isPublic = (/** @type {string} */ line) => !/^\s*(#private;|private\b)/.test(line);
  const lines = node
    .getText()
    .replace(/^export (default )?/, '')
    .replace(/^declare /, '')
    .split('\n');
  return lines
    .filter(isPublic)
    .map((line) => line.replace(/^( {4})+/, (indent) => ' '.repeat(indent.length / 2)).trimEnd())
    .join('\n');
}

/** `{@link X}` as code. @param {string} comment */
function linked(comment) {
  return comment.replaceAll(
    /\{@link(?:code|plain)?\s+([^}|\s]+)(?:[\s|]+([^}]+))?\}/g,
    (_all, name, label) => `\`${label ?? name}\``,
  );
}

/** @param {string} name */
function placeOf(name) {
  const place = ORDER.indexOf(name);
  return place === -1 ? ORDER.length : place;
}

/** Without regard to the language of the machine. @param {string} a @param {string} b */
function compareNames(a, b) {
  const [first, second] = [a.toLowerCase(), b.toLowerCase()];
  return first < second ? -1 : first > second ? 1 : a < b ? -1 : 1;
}

import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';

/** What each file imports, types included; files by path below the folder that was read. */
export type ImportGraph = ReadonlyMap<string, readonly string[]>;

/** The imports between the TypeScript files below `folder`. */
export function readImportGraph(folder: string): ImportGraph {
  const files = readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((file) => file.endsWith('.ts'));
  return new Map(
    files.map((file) => {
      const path = join(folder, file);
      const targets = specifiersIn(readFileSync(path, 'utf8')).filter((specifier) => specifier.startsWith('.'));
      return [file, targets.map((specifier) => relative(folder, resolve(dirname(path), specifier)))];
    }),
  );
}

/** The modules that a source text names in imports and re-exports. */
export function specifiersIn(text: string): string[] {
  return [...text.matchAll(/(?:\bfrom\s+|\bimport\s*\(?\s*)'([^']+)'/g)].map((match) => match[1]!);
}

/**
 * The same between folders. A file that stands directly in the root is a node of its own: it is an entry, or something
 * so small that a folder would say no more.
 */
export function betweenFolders(graph: ImportGraph): ImportGraph {
  const folders = new Map<string, Set<string>>();
  for (const [file, targets] of graph) {
    const folder = folderOf(file);
    const known = folders.get(folder) ?? new Set();
    for (const target of targets) if (folderOf(target) !== folder) known.add(folderOf(target));
    folders.set(folder, known);
  }
  return new Map([...folders].map(([folder, targets]) => [folder, [...targets]]));
}

function folderOf(file: string): string {
  return dirname(file) === '.' ? file : dirname(file);
}

/** Groups of nodes that reach one another, each as a sorted list; empty where imports only point one way. */
export function circlesIn(graph: ImportGraph): string[][] {
  const reachable = new Map([...graph.keys()].map((node) => [node, reachableFrom(node, graph)]));
  const circles = [...graph.keys()]
    .map((node) => [...reachable.get(node)!].filter((other) => reachable.get(other)?.has(node)).toSorted())
    .filter((circle) => circle.length > 0);
  return [...new Map(circles.map((circle) => [circle.join(' '), circle])).values()];
}

function reachableFrom(start: string, graph: ImportGraph): Set<string> {
  const reached = new Set<string>();
  const open = [...(graph.get(start) ?? [])];
  for (let node = open.pop(); node !== undefined; node = open.pop()) {
    if (reached.has(node)) continue;
    reached.add(node);
    open.push(...(graph.get(node) ?? []));
  }
  return reached;
}

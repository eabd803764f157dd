import { join } from 'node:path';

import { isNarrowed } from './narrow-imports.mjs';

/** What few answers need. */
const STORES_AND_TRACING = /\/packages\/(local|sdk|tracing)\/|\/@(opentelemetry|bufbuild)\//;
/** What a page of help does not need. */
const LIBRARY = /\/packages\/query\//;
/** A module of the library that so many of the parts need that are loaded later is one that most answers need. */
const MANY_PARTS = 14;

/**
 * A file costs as much to load as some 20 KB in it. So what every start needs is one chunk, what several answers need is
 * another, and what one command needs, one kind of source, or what opens a store or traces, is split by use.
 * @param {import('./packages.mjs').Package} program
 * @param {string} commandEntry - the module that runs the command, from the program's folder
 * @returns {import('rolldown').CodeSplittingOptions}
 */
export function chunksOf({ folder, entries }, commandEntry) {
  const command = join(folder, commandEntry);
  const library = Object.values(entries).map((entry) => join(folder, entry));
  /**
   * @type {| { start: Set<string>, answers: Set<string>, often: Set<string>, commands: Set<string>, library: Set<string> }
   *   | undefined}
   */
  let parts;
  return {
    // Each module says for itself where it belongs.
    includeDependenciesRecursively: false,
    groups: [
      {
        debugName: 'start, commands, answers, library',
        name(id, context) {
          const graph = graphOf((each) => context.getModuleInfo(each));
          const later = graph.importedLater(command);
          parts ??= {
            start: graph.loadedWith([command]),
            answers: graph.loadedWith(later.filter((each) => !graph.loads(each, STORES_AND_TRACING))),
            often: graph.loadedByMany(later, MANY_PARTS),
            commands: new Set(later.filter((each) => each.startsWith(`${folder}/src/`))),
            library: graph.loadedWith(library),
          };
          // An entry exports what it says, and nothing that another chunk wants of it.
          if (library.includes(id)) return null;
          if (parts.start.has(id)) return 'start';
          if (parts.commands.has(id) || id.includes('/node_modules/')) return null;
          // Help of one command needs what commands share, and none of the library.
          if (parts.answers.has(id) && !graph.loads(id, LIBRARY)) return 'commands';
          const { often } = parts;
          const isOften = often.has(id) || (isNarrowed(id) && graph.loadsOnly(id, often));
          if (isOften) return 'answers';
          return parts.library.has(id) && !parts.answers.has(id) ? 'library' : null;
        },
      },
    ],
  };
}

/** @param {(id: string) => import('rolldown').ModuleInfo | null} getModuleInfo */
function graphOf(getModuleInfo) {
  /**
   * What is loaded as soon as one of `ids` is.
   * @param {readonly string[]} ids
   */
  function loadedWith(ids) {
    const reached = new Set(ids);
    for (const id of reached) for (const next of getModuleInfo(id)?.importedIds ?? []) reached.add(next);
    return reached;
  }

  return {
    loadedWith,
    /**
     * What is loaded with at least `count` of `entries`.
     * @param {readonly string[]} entries
     * @param {number} count
     */
    loadedByMany(entries, count) {
      /** @type {Map<string, number>} */
      const counts = new Map();
      for (const entry of entries) {
        for (const id of loadedWith([entry])) counts.set(id, (counts.get(id) ?? 0) + 1);
      }
      return new Set([...counts].filter(([, loads]) => loads >= count).map(([id]) => id));
    },
    /**
     * Whether everything that is loaded with `id` is one of `modules`, or itself.
     * @param {string} id
     * @param {ReadonlySet<string>} modules
     */
    loadsOnly: (id, modules) => [...loadedWith([id])].every((each) => each === id || modules.has(each)),
    /**
     * Whether one of `modules` is loaded as soon as `id` is.
     * @param {string} id
     * @param {RegExp} modules
     */
    loads: (id, modules) => [...loadedWith([id])].some((each) => modules.test(each)),
    /**
     * Every module that is imported dynamically by something that can be reached from `entry`.
     * @param {string} entry
     */
    importedLater(entry) {
      const reached = new Set([entry]);
      const later = new Set();
      for (const id of reached) {
        const { importedIds = [], dynamicallyImportedIds = [] } = getModuleInfo(id) ?? {};
        for (const next of [...importedIds, ...dynamicallyImportedIds]) reached.add(next);
        for (const next of dynamicallyImportedIds) later.add(next);
      }
      return /** @type {string[]} */ ([...later]);
    },
  };
}

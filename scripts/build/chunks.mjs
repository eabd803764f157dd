import { join } from 'node:path';

/** What few answers need. */
const STORES_AND_TRACING = /\/packages\/(local|sdk|tracing)\/|\/@(opentelemetry|bufbuild)\//;
/** What a page of help does not need. */
const LIBRARY = /\/packages\/query\//;

/**
 * A file costs as much to load as some 20 KB in it. So what every start needs is one chunk, what several answers need is
 * another, and only what one command needs, or what opens a store or traces, is split by use.
 * @param {import('./packages.mjs').Package} program
 * @param {string} commandEntry - the module that runs the command, from the program's folder
 * @returns {import('rolldown').CodeSplittingOptions}
 */
export function chunksOf({ folder, entries }, commandEntry) {
  const command = join(folder, commandEntry);
  const library = Object.values(entries).map((entry) => join(folder, entry));
  /** @type {{ start: Set<string>, answers: Set<string>, commands: Set<string>, library: Set<string> } | undefined} */
  let parts;
  return {
    // Each module says for itself where it belongs.
    includeDependenciesRecursively: false,
    groups: [
      {
        debugName: 'start, commands, answers, library',
        name(id, context) {
          const graph = graphOf((each) => context.getModuleInfo(each));
          parts ??= {
            start: graph.loadedWith([command]),
            answers: graph.loadedWith(
              graph.importedLater(command).filter((each) => !graph.loads(each, STORES_AND_TRACING)),
            ),
            commands: new Set(graph.importedLater(command).filter((each) => each.startsWith(`${folder}/src/`))),
            library: graph.loadedWith(library),
          };
          // An entry exports what it says, and nothing that another chunk wants of it.
          if (library.includes(id)) return null;
          if (parts.start.has(id)) return 'start';
          if (parts.commands.has(id) || id.includes('/node_modules/')) return null;
          // Help of one command needs what commands share, and none of the library.
          if (parts.answers.has(id)) return graph.loads(id, LIBRARY) ? 'answers' : 'commands';
          return parts.library.has(id) ? 'library' : null;
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

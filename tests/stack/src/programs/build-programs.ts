import { copyFile, mkdir, mkdtemp, rename, rm } from 'node:fs/promises';
import { existsSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { checkGo, runBuild } from './go-toolchain.ts';
import type { Progress } from './go-toolchain.ts';
import { builtFolder, definitionFolder, PROGRAMS } from './program.ts';
import type { Program } from './program.ts';

/** Without the symbol tables the binaries are a third smaller and link faster. */
const LINK_FLAGS = '-ldflags=-s -w';

/**
 * Builds the programs of the stack that are not in the cache yet. When all are there it does nothing and needs no Go.
 * @throws `BuildError` when there is no suitable Go toolchain, or a program cannot be built.
 */
export async function buildPrograms(progress: Progress): Promise<void> {
  const missing = PROGRAMS.filter((program) => !existsSync(builtFolder(program)));
  for (const program of missing) await checkGo(definitionFolder(program.name));
  for (const program of missing) await buildIntoCache(program, progress);
}

async function buildIntoCache(program: Program, progress: Progress): Promise<void> {
  const startMs = Date.now();
  const target = builtFolder(program);
  await mkdir(dirname(target), { recursive: true });
  // Beside the target, so that the finished folder gets its name in one step: who sees it sees all of it.
  const unfinished = await mkdtemp(`${target}.unfinished-`);
  const tell: Progress = (message) => progress(`${program.name}: ${message}`);
  try {
    tell('building; some minutes the first time');
    await BUILD[program.name](unfinished, tell);
    await rename(unfinished, target);
  } catch (error) {
    await rm(unfinished, { recursive: true, force: true });
    // Somebody else finished the same one meanwhile.
    if (existsSync(target)) return;
    throw error;
  }
  tell(`built in ${Math.round((Date.now() - startMs) / 1000)} s: ${target}`);
}

const BUILD: Record<Program['name'], (folder: string, progress: Progress) => Promise<void>> = {
  jaeger: (folder, progress) =>
    goBuild(
      'jaeger',
      [LINK_FLAGS, '-o', join(folder, 'jaeger'), 'github.com/jaegertracing/jaeger/cmd/jaeger'],
      progress,
    ),

  prometheus: (folder, progress) => {
    const commands = ['prometheus', 'promtool'].map((name) => `github.com/prometheus/prometheus/cmd/${name}`);
    // The tag leaves out service discovery by cloud APIs, most of Prometheus's dependencies.
    return goBuild('prometheus', ['-tags=remove_all_sd', LINK_FLAGS, '-o', folder, ...commands], progress);
  },

  // The collector's own builder writes the main program from builder.yaml; go.mod and go.sum are ours, so that what it
  // would choose today does not matter.
  collector: async (folder, progress) => {
    const work = await mkdtemp(join(tmpdir(), 'convotel-collector-'));
    try {
      const builder = join(work, 'builder');
      await goBuild('builder', [LINK_FLAGS, '-o', builder, 'go.opentelemetry.io/collector/cmd/builder'], progress);
      await copyFile(join(definitionFolder('collector'), 'builder.yaml'), join(work, 'builder.yaml'));
      await runBuild(builder, ['--config', 'builder.yaml', '--skip-compilation', '--skip-get-modules'], work, progress);
      const generated = join(work, 'generated');
      for (const file of ['go.mod', 'go.sum']) {
        await copyFile(join(definitionFolder('collector'), file), join(generated, file));
      }
      await runBuild('go', ['build', LINK_FLAGS, '-o', join(folder, 'collector'), '.'], generated, progress);
    } finally {
      await rm(work, { recursive: true, force: true });
    }
  },
};

function goBuild(definition: string, words: string[], progress: Progress): Promise<void> {
  return runBuild('go', ['build', ...words], definitionFolder(definition), progress);
}

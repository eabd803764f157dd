import { spawn } from 'node:child_process';
import { BuildError } from './build-error.ts';

const GO_ENVIRONMENT = {
  CGO_ENABLED: '0',
  // go.mod and go.sum say it all; a build that wanted others has to fail.
  GOFLAGS: '-mod=readonly -buildvcs=false -trimpath',
  GOWORK: 'off',
};
const GO_MISSING =
  'The programs of the stack (OpenTelemetry Collector, Jaeger, Prometheus) are built from their Go modules, and there ' +
  'is no `go` on the PATH. Install Go 1.26 or newer and run this again; everything else of convotel works without it.';
/** How often a build that goes on says so. */
const PROGRESS_INTERVAL_MS = 20_000;

/** Says something to the person who waits. */
export type Progress = (message: string) => void;

/**
 * Checks that there is a Go toolchain that may build the module in `folder`.
 * @throws {@link BuildError} `GO_MISSING`, or `GO_UNSUITABLE` with Go's own words on what it lacks.
 */
export async function checkGo(folder: string): Promise<void> {
  // To name the module, Go has to read go.mod: it compares itself with the `go` line there, and may fetch a newer Go.
  const { status, output } = await run('go', ['list', '-m'], folder, () => {});
  if (status === 0) return;
  throw new BuildError('GO_UNSUITABLE', `The Go toolchain cannot build the stack's programs: ${output.trim()}`);
}

/**
 * Runs a program in `folder`, with an environment in which builds do not depend on the machine's settings.
 * @throws {@link BuildError} `BUILD_FAILED` with all that it printed.
 */
export async function runBuild(command: string, words: string[], folder: string, progress: Progress): Promise<void> {
  const { status, output } = await run(command, words, folder, progress);
  if (status === 0) return;
  throw new BuildError('BUILD_FAILED', `${command} ${words.join(' ')} ended with ${status}:\n${output}`);
}

interface Ran {
  status: number | string;
  output: string;
}

function run(command: string, words: string[], folder: string, progress: Progress): Promise<Ran> {
  return new Promise((settle, fail) => {
    const environment = { ...process.env, ...GO_ENVIRONMENT };
    const child = spawn(command, words, { cwd: folder, env: environment, stdio: ['ignore', 'pipe', 'pipe'] });
    const startMs = Date.now();
    const timer = setInterval(() => progress(`… ${Math.round((Date.now() - startMs) / 1000)} s`), PROGRESS_INTERVAL_MS);
    let output = '';
    const hear = (chunk: Buffer): void => void (output += chunk.toString('utf8'));
    child.stdout.on('data', hear);
    child.stderr.on('data', hear);
    child.once('error', (error: NodeJS.ErrnoException) => {
      clearInterval(timer);
      fail(
        error.code === 'ENOENT' && command === 'go'
          ? new BuildError('GO_MISSING', GO_MISSING, { cause: error })
          : error,
      );
    });
    child.once('close', (status, signal) => {
      clearInterval(timer);
      settle({ status: status ?? signal ?? 'no status', output });
    });
  });
}

import { execFileSync } from 'node:child_process';
import { statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { bySize } from '../../fault.ts';
import type { Fault, FaultRun } from '../../fault.ts';
import { Sending } from '../sending.ts';
import { ask, startServe, until, withFolder } from '../serve-process.ts';
import type { ServeProcess } from '../serve-process.ts';
import { conversationsIn } from '../spans.ts';

const MEGABYTES = 64;
/** The log may take a twentieth of it, so that the disk fills in a checkpoint too. */
const SMALL = ['--max-size', '32MiB'];

/** A disk that fills up while spans arrive, and has room again. */
export const fault: Fault = {
  name: 'a full disk, and room on it again',
  async run(run) {
    const rounds = bySize(run, { short: 1, ci: 3, long: 15 });
    let canMount = true;
    await withFolder(async (folder) => {
      canMount = mount(folder);
      if (canMount) unmount(folder);
    });
    run.measured({ name: 'a small file system could be mounted', value: canMount ? 1 : 0 });
    if (canMount) {
      await fillDisks(run, 'full file system', rounds, async (use) => {
        await withFolder(async (folder) => {
          mount(folder);
          try {
            const filler = join(folder, 'filler');
            await use(folder, {
              fill: async () => fillUp(filler),
              empty: () => execFileSync('sh', ['-c', `rm -f ${filler}*`]),
            });
          } finally {
            unmount(folder);
          }
        });
      });
    }
    // Also where one could be mounted: this fails in the middle of a write.
    const isLinux = process.platform === 'linux';
    run.measured({ name: 'the size of files could be limited (Linux)', value: isLinux ? 1 : 0 });
    if (!isLinux) return;
    await fillDisks(run, 'limit of file size', rounds, (use) =>
      withFolder((folder) =>
        use(folder, {
          fill: async (serve) => limitFileSize(serve, logBytes(folder) + run.random.whole(0, 50_000)),
          // The limit of a process that was killed has gone with it.
          empty: (serve) => {
            if (serve.child.signalCode === null) limitFileSize(serve, 'unlimited');
          },
        }),
      ),
    );
  },
};

interface Disk {
  fill(serve: ServeProcess): Promise<void>;
  empty(serve: ServeProcess): void;
}

async function fillDisks(
  { measured }: FaultRun,
  what: string,
  rounds: number,
  withDisk: (use: (folder: string, disk: Disk) => Promise<void>) => Promise<void>,
): Promise<void> {
  let [acknowledged, missing, unreported, repeated, stuck, wrongAnswers] = [0, 0, 0, 0, 0, 0];
  for (let round = 0; round < rounds; round++) {
    // Every other time it is killed while the disk is full.
    const isKilled = round % 2 === 1;
    await withDisk(async (folder, { fill, empty }) => {
      const storePath = join(folder, 'store.duckdb');
      const serve = await startServe(storePath, SMALL);
      const sending = new Sending(serve.url, { textBytes: 500 });
      await until(() => sending.acknowledged().length > 1_000);
      await fill(serve);
      sending.nextPhase();
      await until(() => sending.refusals(1).length > 20);
      const { status, problem } = await ask(serve.url, '/healthz');
      const reason = sending.refusals(1).at(-1)!;
      const isSaid = serve.notices().includes('Spans are refused');
      if (status !== 'unwritable' || !isReason(String(problem)) || !isReason(reason) || !isSaid) unreported += 1;
      if (isKilled) {
        await sending.stop();
        await serve.stop('SIGKILL');
        empty(serve);
      } else {
        empty(serve);
        sending.nextPhase();
        await until(() => sending.acknowledged(2).length > 500);
        await sending.stop();
        if ((await ask(serve.url, '/healthz'))['status'] !== 'ok') stuck += 1;
        await serve.stop();
      }
      const said = serve.notices().match(/Spans are refused|spans are stored again/g) ?? [];
      if (said.some((words, index) => words === said[index - 1])) repeated += 1;
      const kept = await conversationsIn(storePath);
      missing += sending.acknowledged().filter((id) => !kept.has(id)).length;
      acknowledged += sending.acknowledged().length;
      wrongAnswers += sending.wrongAnswers;
    });
  }
  measured({ name: `${what}: of ${acknowledged} acknowledged spans, missing`, value: missing, atMost: 0 });
  measured({
    name: `${what}: reason not in /healthz, the answer or a notice, of ${rounds}`,
    value: unreported,
    atMost: 0,
  });
  measured({ name: `${what}: said again before it was over, of ${rounds}`, value: repeated, atMost: 0 });
  measured({ name: `${what}: /healthz not ok with room again, of ${rounds}`, value: stuck, atMost: 0 });
  measured({ name: `${what}: answers other than 200 and 503`, value: wrongAnswers, atMost: 0 });
}

/** Whether a message says that there is no room. */
function isReason(text: string): boolean {
  return /cannot be written at present: .*(No space left|File too large|no room|bytes left)/i.test(text);
}

function mount(folder: string): boolean {
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${MEGABYTES}m`, 'convotel-faults', folder], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}

function unmount(folder: string): void {
  execFileSync('umount', ['-l', folder], { stdio: 'ignore' });
}

/** Writes files until there is no room for a page more. */
function fillUp(filler: string): void {
  for (const [part, bytes] of [1_048_576, 65_536, 4_096].entries()) {
    try {
      for (let number = 0; ; number++) writeFileSync(`${filler}-${part}-${number}`, Buffer.alloc(bytes));
    } catch {
      // Full for files of this size.
    }
  }
}

function limitFileSize({ child }: ServeProcess, bytes: number | 'unlimited'): void {
  execFileSync('prlimit', ['--pid', String(child.pid), `--fsize=${bytes}:unlimited`]);
}

function logBytes(folder: string): number {
  return statSync(join(folder, 'store.duckdb.wal'), { throwIfNoEntry: false })?.size ?? 0;
}

import { spawnSync } from 'node:child_process';
import { chmodSync, chownSync, existsSync, mkdirSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { bySize } from '../../fault.ts';
import type { Fault, FaultRun } from '../../fault.ts';
import { Sending } from '../sending.ts';
import { ask, COMMAND, pause, send, startServe, until, withFolder } from '../serve-process.ts';
import { conversationsIn, stepSpan, traceRequest } from '../spans.ts';

/** The folder is taken at any moment of a request, and of a commit. */
const MAX_LATER_MS = 30;
/** The log may take a twentieth of it, so that checkpoints come often. */
const SMALL = ['--max-size', '32MiB'];
/** The user `nobody`: nothing is read-only for root. */
const OTHER_USER = 65_534;

/** The folder of a store is taken away, or cannot be written any more, while spans arrive. */
export const fault: Fault = {
  name: 'a folder that is moved, removed, replaced or made read-only while spans arrive',
  async run(run) {
    await takeFolder(run, 'moved', (folder) => renameSync(folder, `${folder}-moved`));
    await takeFolder(run, 'removed', (folder) => rmSync(folder, { recursive: true }));
    await takeFolder(run, 'replaced', (folder) => {
      renameSync(folder, `${folder}-moved`);
      renameSync(`${folder}-other`, folder);
    });
    await closeFolder(run);
  },
};

async function takeFolder(
  run: FaultRun,
  what: 'moved' | 'removed' | 'replaced',
  take: (folder: string) => void,
): Promise<void> {
  const { random, measured } = run;
  const rounds = bySize(run, { short: 1, ci: 4, long: 20 });
  let [before, missingBefore, after, missingAfter, unnoticed, unsaid, wrongAnswers] = [0, 0, 0, 0, 0, 0, 0];
  for (let round = 0; round < rounds; round++) {
    await withFolder(async (parent) => {
      const folder = join(parent, 'stores');
      const storePath = join(folder, 'store.duckdb');
      if (what === 'replaced') await makeStore(`${folder}-other`);
      const serve = await startServe(storePath);
      const sending = new Sending(serve.url);
      await until(() => sending.acknowledged().length > 500);
      await pause(random.whole(0, MAX_LATER_MS));
      take(folder);
      sending.nextPhase();
      await until(() => sending.acknowledged(1).length > 500);
      await sending.stop();
      const { status } = await ask(serve.url, '/healthz');
      await serve.stop();
      const [sentBefore, sentAfter] = [sending.acknowledged(0), sending.acknowledged(1)];
      const kept = await conversationsIn(storePath);
      missingAfter += sentAfter.filter((id) => !kept.has(id)).length;
      if (what !== 'removed') {
        const moved = await conversationsIn(join(`${folder}-moved`, 'store.duckdb'));
        missingBefore += sentBefore.filter((id) => !moved.has(id) && !kept.has(id)).length;
      }
      before += sentBefore.length;
      after += sentAfter.length;
      wrongAnswers += sending.wrongAnswers;
      if (!sending.isRefusedFirst(1)) unnoticed += 1;
      const isSaid =
        /(removed or moved|replaced by another file) while it was in use/.test(serve.notices()) &&
        /another file than before[^]* lost/.test(serve.notices());
      if (!isSaid || status !== 'ok') unsaid += 1;
    });
  }
  // What is removed is gone; that this is said is another figure.
  if (what !== 'removed') {
    measured({
      name: `${what}: of ${before} spans accepted before, in neither folder`,
      value: missingBefore,
      atMost: 0,
    });
  }
  measured({ name: `${what}: of ${after} spans accepted after it, missing`, value: missingAfter, atMost: 0 });
  measured({ name: `${what}: not noticed before the next 200, of ${rounds}`, value: unnoticed, atMost: 0 });
  measured({ name: `${what}: not said, or not over by itself, of ${rounds}`, value: unsaid, atMost: 0 });
  measured({ name: `${what}: answers other than 200 and 503`, value: wrongAnswers, atMost: 0 });
}

/** A folder and files that may only be read, until spans are refused for that; then they may be written again. */
async function closeFolder(run: FaultRun): Promise<void> {
  const { random, measured } = run;
  const rounds = bySize(run, { short: 1, ci: 2, long: 10 });
  const isRoot = process.getuid?.() === 0;
  const asOther = { uid: OTHER_USER, gid: OTHER_USER };
  const canTry = !isRoot || spawnSync(process.execPath, [COMMAND, '--version'], asOther).status === 0;
  measured({ name: 'read-only: could be tried (root needs another user for it)', value: canTry ? 1 : 0 });
  if (!canTry) return;
  let [acknowledged, missing, unreported, stuck, wrongAnswers] = [0, 0, 0, 0, 0];
  for (let round = 0; round < rounds; round++) {
    await withFolder(async (parent) => {
      const folder = join(parent, 'stores');
      const storePath = join(folder, 'store.duckdb');
      mkdirSync(folder, { mode: 0o700 });
      if (isRoot) for (const path of [parent, folder]) chownSync(path, OTHER_USER, OTHER_USER);
      const serve = await startServe(storePath, SMALL, {
        environment: { HOME: parent, XDG_RUNTIME_DIR: parent },
        ...(isRoot && { userId: OTHER_USER }),
      });
      const sending = new Sending(serve.url, { textBytes: 500 });
      await until(() => sending.acknowledged().length > 500);
      await pause(random.whole(0, MAX_LATER_MS));
      const files = [storePath, `${storePath}.wal`].filter((file) => existsSync(file));
      for (const file of files) chmodSync(file, 0o400);
      chmodSync(folder, 0o500);
      sending.nextPhase();
      // Files that are open can still be written. The next checkpoint needs the folder.
      await until(() => sending.refusals(1).length > 20);
      const { status, problem } = await ask(serve.url, '/healthz');
      const isReported = status === 'unwritable' && /Permission denied/.test(String(problem));
      chmodSync(folder, 0o700);
      for (const file of files) if (existsSync(file)) chmodSync(file, 0o600);
      sending.nextPhase();
      await until(() => sending.acknowledged(2).length > 500);
      await sending.stop();
      const health = await ask(serve.url, '/healthz');
      await serve.stop();
      const kept = await conversationsIn(storePath);
      missing += sending.acknowledged().filter((id) => !kept.has(id)).length;
      acknowledged += sending.acknowledged().length;
      wrongAnswers += sending.wrongAnswers;
      const refusedNotices = serve.notices().match(/Spans are refused/g)?.length;
      if (!isReported || refusedNotices !== 1) unreported += 1;
      if (health['status'] !== 'ok') stuck += 1;
    });
  }
  measured({ name: `read-only: of ${acknowledged} acknowledged spans, missing`, value: missing, atMost: 0 });
  measured({ name: `read-only: not said once with the reason, of ${rounds}`, value: unreported, atMost: 0 });
  measured({ name: `read-only: /healthz not ok when writable again, of ${rounds}`, value: stuck, atMost: 0 });
  measured({ name: 'read-only: answers other than 200 and 503', value: wrongAnswers, atMost: 0 });
}

/** A store with a conversation of its own, which no process holds. */
async function makeStore(folder: string): Promise<void> {
  const serve = await startServe(join(folder, 'store.duckdb'));
  const span = stepSpan({ conversationId: 'other', startMs: Date.now() });
  await send(`${serve.url}/v1/traces`, { body: traceRequest([span]) });
  await serve.stop();
}

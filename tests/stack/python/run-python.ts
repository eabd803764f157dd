import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { mkdir, mkdtemp, rename, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { cacheFolder } from '../src/programs/program.ts';
import type { PlannedConversation } from '../src/traffic/plan-conversations.ts';

const run = promisify(execFile);
const REQUIREMENTS = fileURLToPath(new URL('./requirements.txt', import.meta.url));
const PROGRAM = fileURLToPath(new URL('./planned_program.py', import.meta.url));

/**
 * Installs OpenTelemetry for Python into the stack's cache, unless it is there: a folder of packages, one for every
 * content of `requirements.txt`.
 * @throws `Error` when there is no Python 3, or the packages cannot be had.
 */
export async function installPythonPackages(): Promise<string> {
  const { stdout: version } = await run('python3', ['--version']);
  const key = createHash('sha256').update(version).update(readFileSync(REQUIREMENTS)).digest('hex').slice(0, 16);
  const target = join(cacheFolder(), `python-${key}`);
  if (existsSync(target)) return target;
  await mkdir(dirname(target), { recursive: true });
  const unfinished = await mkdtemp(`${target}.unfinished-`);
  try {
    await run('python3', ['-m', 'pip', 'install', '--quiet', '--target', unfinished, '--requirement', REQUIREMENTS]);
    await rename(unfinished, target);
  } finally {
    await rm(unfinished, { recursive: true, force: true });
  }
  return target;
}

/** Lets the program in Python trace `plan` and send it to `endpoint`; rejects when anything was refused. */
export async function runPythonProgram(
  packages: string,
  endpoint: string,
  serviceName: string,
  plan: readonly PlannedConversation[],
): Promise<void> {
  const env = { PATH: process.env['PATH'], PYTHONPATH: packages, TZ: 'UTC' };
  const running = run('python3', [PROGRAM, endpoint, serviceName], { env });
  running.child.stdin!.end(JSON.stringify(plan));
  await running;
}

import { execFile } from 'node:child_process';
import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

const folder = dirname(fileURLToPath(import.meta.url));

/** Runs an ESM program in a process of its own, from the built packages; resolves with the JSON that it prints. */
// oxlint-disable-next-line typescript/no-explicit-any -- what a program prints is as it is
export async function runProgram(program: string, nodeOptions: readonly string[] = []): Promise<any> {
  const { stdout } = await promisify(execFile)(
    process.execPath,
    [...nodeOptions, '--input-type=module', '-e', program],
    { cwd: folder, env: { ...process.env, NODE_OPTIONS: '' }, maxBuffer: 64 * 1024 * 1024 },
  );
  return JSON.parse(stdout);
}

import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { DeliveryReport } from '@convotel/sdk';
import type { PlannedProgramOptions } from './planned-program.ts';

const COMPILED = fileURLToPath(new URL('../../dist/traffic/', import.meta.url));

/** Runs a compiled program of this folder in a process of its own; what it printed on standard output. */
export function runProgram(name: string, options: object, environment: Record<string, string> = {}): Promise<string> {
  return new Promise((resolve, reject) => {
    // A journal of its own: what another program of the same service left behind is not this one's to deliver.
    const state = mkdtempSync(join(tmpdir(), 'convotel-stack-state-'));
    const env = { PATH: process.env['PATH'], TZ: 'UTC', XDG_STATE_HOME: state, ...environment };
    const words = [`${COMPILED}${name}.js`, JSON.stringify(options)];
    execFile(process.execPath, words, { env, maxBuffer: 2 ** 26 }, (error, stdout, stderr) => {
      rmSync(state, { recursive: true, force: true });
      if (error === null) resolve(stdout);
      else reject(new Error(`${name} failed: ${stderr}`, { cause: error }));
    });
  });
}

/**
 * Sends a plan from as many processes of one service as there are `processes`, at the same time.
 * @returns What each of them says of its delivery.
 */
export function sendPlan({
  processes = 1,
  pauseMs = 0,
  ...options
}: Pick<PlannedProgramOptions, 'endpoint' | 'serviceName' | 'plan'> & SendSettings): Promise<DeliveryReport[]> {
  const share = Math.ceil(options.plan.count / processes);
  return Promise.all(
    Array.from({ length: processes }, async (_, index) => {
      const part = [index * share, (index + 1) * share] as const;
      const program: PlannedProgramOptions = { ...options, pauseMs, part };
      return JSON.parse(await runProgram('planned-program', program)) as DeliveryReport;
    }),
  );
}

/** How a plan is sent. */
export interface SendSettings {
  /** @defaultValue `1` */
  processes?: number;
  /** Wait after every hundred conversations. @defaultValue `0` */
  pauseMs?: number;
}

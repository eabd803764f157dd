import type { Fault } from './fault.ts';

/** Every fault that is tried, in order; each loads only when its turn comes. */
export const FAULTS: Readonly<Record<string, () => Promise<Fault>>> = {
  kill: async () => (await import('./rows/kill.ts')).fault,
  exits: async () => (await import('./rows/exits.ts')).fault,
  outages: async () => (await import('./rows/outages.ts')).fault,
  poison: async () => (await import('./rows/poison.ts')).fault,
  flaky: async () => (await import('./rows/flaky.ts')).fault,
  burst: async () => (await import('./rows/burst.ts')).fault,
  damage: async () => (await import('./rows/damage.ts')).fault,
  'file-calls': async () => (await import('./rows/file-calls.ts')).fault,
  'power-loss': async () => (await import('./rows/power-loss.ts')).fault,
  'many-starts': async () => (await import('./rows/many-starts.ts')).fault,
  'ten-minutes': async () => (await import('./rows/ten-minutes.ts')).fault,
  'weird-values': async () => (await import('./rows/weird-values.ts')).fault,
  'full-disk': async () => (await import('./rows/full-disk.ts')).fault,
  'long-run': async () => (await import('./rows/long-run.ts')).fault,
};

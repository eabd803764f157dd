import type { Fault } from './fault.ts';

/** Every fault that is tried, in order; each loads only when its turn comes. */
export const FAULTS: Readonly<Record<string, () => Promise<Fault>>> = {
  'sdk/kill': async () => (await import('./sdk/rows/kill.ts')).fault,
  'sdk/exits': async () => (await import('./sdk/rows/exits.ts')).fault,
  'sdk/outages': async () => (await import('./sdk/rows/outages.ts')).fault,
  'sdk/poison': async () => (await import('./sdk/rows/poison.ts')).fault,
  'sdk/flaky': async () => (await import('./sdk/rows/flaky.ts')).fault,
  'sdk/burst': async () => (await import('./sdk/rows/burst.ts')).fault,
  'sdk/damage': async () => (await import('./sdk/rows/damage.ts')).fault,
  'sdk/file-calls': async () => (await import('./sdk/rows/file-calls.ts')).fault,
  'sdk/power-loss': async () => (await import('./sdk/rows/power-loss.ts')).fault,
  'sdk/many-starts': async () => (await import('./sdk/rows/many-starts.ts')).fault,
  'sdk/ten-minutes': async () => (await import('./sdk/rows/ten-minutes.ts')).fault,
  'sdk/weird-values': async () => (await import('./sdk/rows/weird-values.ts')).fault,
  'sdk/full-disk': async () => (await import('./sdk/rows/full-disk.ts')).fault,
  'sdk/long-run': async () => (await import('./sdk/rows/long-run.ts')).fault,
  'store/size': async () => (await import('./store/rows/size.ts')).fault,
  'store/clock': async () => (await import('./store/rows/clock.ts')).fault,
  'store/damaged-log': async () => (await import('./store/rows/damaged-log.ts')).fault,
  'store/damaged-block': async () => (await import('./store/rows/damaged-block.ts')).fault,
  'store/power-loss': async () => (await import('./store/rows/power-loss.ts')).fault,
  'store/kill': async () => (await import('./store/rows/kill.ts')).fault,
  'store/memory': async () => (await import('./store/rows/memory.ts')).fault,
  'store/step-names': async () => (await import('./store/rows/step-names.ts')).fault,
  'store/soak': async () => (await import('./store/rows/soak.ts')).fault,
};

/**
 * Measures the work that a step does: the step must last at least as long. A timer is no measure, because under load it
 * counts from a time before it was set.
 */
export const stopwatch = {
  workedMs: 0,
  startedMs: 0,

  start(): void {
    stopwatch.startedMs = performance.now();
    stopwatch.workedMs = 0;
  },

  lap(): void {
    stopwatch.workedMs = performance.now() - stopwatch.startedMs;
  },
};

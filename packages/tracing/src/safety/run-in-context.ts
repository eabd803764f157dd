import { context } from '@opentelemetry/api';
import type { Context } from '@opentelemetry/api';
import { reportTrouble } from './report-trouble.ts';

/**
 * Calls `run(argument)` exactly once with `active` as the active context, also when the context manager throws
 * before or after the call. Returns what `run` returned, and throws only what `run` threw.
 */
export function runInContext<Argument, Result>(
  active: Context,
  run: (argument: Argument) => Result,
  argument: Argument,
): Result {
  let hasRun = false;
  let hasThrown = false;
  let result: Result | undefined;
  let thrown: unknown;
  const runOnce = (): void => {
    if (hasRun) return;
    hasRun = true;
    try {
      result = run(argument);
    } catch (error) {
      hasThrown = true;
      thrown = error;
    }
  };
  try {
    context.with(active, runOnce);
  } catch (error) {
    reportTrouble('making a step the active one', error);
  }
  runOnce();
  if (hasThrown) throw thrown;
  return result as Result;
}

import { context, ROOT_CONTEXT } from '@opentelemetry/api';
import type { Context } from '@opentelemetry/api';
import { reportTrouble } from './report-trouble.ts';

/** The active context; the empty one when the context manager throws or returns none. */
export function activeContext(): Context {
  try {
    const active: Context | undefined = context.active();
    if (active !== undefined && active !== null) return active;
    reportTrouble('the context manager returned no context');
  } catch (error) {
    reportTrouble('asking for the active context', error);
  }
  return ROOT_CONTEXT;
}

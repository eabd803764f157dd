import { AsyncLocalStorage } from 'node:async_hooks';
import { context, createContextKey, ROOT_CONTEXT, trace } from '@opentelemetry/api';
import type { Context } from '@opentelemetry/api';
import { processRegistry } from '@convotel/conventions';
import { reportInternalError } from './warnings.ts';

/**
 * Calls nested on one stack whose context is made active by the context manager; deeper ones only set
 * {@link contextOnStack}. Making a context active takes six stack frames, which would cut the recursion depth
 * available to the program to a fifth.
 */
const MAX_NESTED_CONTEXTS = 50;

/**
 * Holds contexts in a program without a context manager: `trace.setGlobalTracerProvider()` does not register one.
 * We do not register our own, because another tool may still want to register its context manager.
 */
const ownContexts = (processRegistry().contexts ??= new AsyncLocalStorage<Context>()) as AsyncLocalStorage<Context>;

/**
 * The span of the active step or conversation. It is also OpenTelemetry's active span, unless the provider is private.
 */
export const CONVOTEL_SPAN = createContextKey('convotel span');

let nestedContexts = 0;
let contextOnStack: Context | undefined;

/** Whether a call made now sets its context with {@link swapContextOnStack} only, not through the context manager. */
export function isPastNestingLimit(): boolean {
  return nestedContexts >= MAX_NESTED_CONTEXTS;
}

/**
 * Sets the context of the calls that follow on this stack; returns the previous one, which the caller restores
 * afterwards.
 */
export function swapContextOnStack(active: Context | undefined): Context | undefined {
  const previous = contextOnStack;
  contextOnStack = active;
  return previous;
}

/** The active context; the root context when the context manager throws or returns none. */
export function activeContext(): Context {
  if (contextOnStack !== undefined) return contextOnStack;
  try {
    const active: Context | undefined = context.active();
    if (active === ROOT_CONTEXT) return ownContexts.getStore() ?? active;
    if (active !== undefined && active !== null) return active;
    reportInternalError('the context manager returned no context');
  } catch (error) {
    reportInternalError('getting the active context', error);
  }
  return ROOT_CONTEXT;
}

/**
 * Calls `run(argument)` exactly once with `active` as the active context, even when the context manager throws
 * before or after the call, or overflows the stack. Returns what `run` returned, and throws only what it threw.
 */
export function runInContext<Argument, Result>(
  active: Context,
  run: (argument: Argument) => Result,
  argument: Argument,
): Result {
  if (isPastNestingLimit()) {
    const previous = swapContextOnStack(active);
    try {
      return run(argument);
    } finally {
      swapContextOnStack(previous);
    }
  }
  const call = new Call(active, run, argument);
  try {
    runByManager(active, call as Call<unknown, unknown>);
  } catch {
    // The stack overflowed inside convotel's own frames; without them, the program's function may still fit.
  }
  if (!call.hasRun) return run(argument);
  if (call.hasReturned) return call.result as Result;
  throw call.thrown;
}

/** One call of the program's function, and its result. */
class Call<Argument, Result> {
  readonly active: Context;
  readonly run: (argument: Argument) => Result;
  readonly argument: Argument;
  hasRun = false;
  hasReturned = false;
  result: Result | undefined = undefined;
  thrown: unknown = undefined;

  constructor(active: Context, run: (argument: Argument) => Result, argument: Argument) {
    this.active = active;
    this.run = run;
    this.argument = argument;
  }
}

function runByManager(active: Context, call: Call<unknown, unknown>): void {
  try {
    context.with(active, runOnce, undefined, call);
  } catch (error) {
    reportInternalError('making the context of a step active', error);
  }
}

function runOnce(call: Call<unknown, unknown>): void {
  if (call.hasRun) return;
  const { active } = call;
  if (!isActive(active) && ownContexts.getStore() !== active) {
    ownContexts.run(active, runOnce, call);
    return;
  }
  call.hasRun = true;
  nestedContexts += 1;
  try {
    call.result = call.run(call.argument);
    call.hasReturned = true;
  } catch (error) {
    call.thrown = error;
  }
  nestedContexts -= 1;
}

/** Whether the context manager made `active` the active context. It may have wrapped it, so the spans are compared. */
function isActive(active: Context): boolean {
  try {
    const now = activeContext();
    if (now === active) return true;
    return (
      now.getValue(CONVOTEL_SPAN) === active.getValue(CONVOTEL_SPAN) && trace.getSpan(now) === trace.getSpan(active)
    );
  } catch {
    // activeContext() has already reported a broken context manager.
    return false;
  }
}

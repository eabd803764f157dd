import { AsyncLocalStorage } from 'node:async_hooks';
import { context, createContextKey, ROOT_CONTEXT, trace } from '@opentelemetry/api';
import type { Context } from '@opentelemetry/api';
import { processRegistry } from '@convotel/conventions';
import { reportTrouble } from './warnings.ts';

/**
 * Calls inside one another, on one stack, that get a context of the context manager's; deeper ones are only noted
 * in {@link contextOnStack}. Making a context active takes six stack frames, which would cut the depth that
 * a recursive program reaches to a fifth.
 */
const MAX_NESTED_CONTEXTS = 50;

/**
 * Holds contexts in a program that has no context manager: `trace.setGlobalTracerProvider()` alone brings none.
 * One of our own is not registered, because another tool may still want to register its.
 */
const ownContexts = (processRegistry().contexts ??= new AsyncLocalStorage<Context>()) as AsyncLocalStorage<Context>;

/** The span of convotel's in whose step or conversation the program is; the active one, too, where that is not private. */
export const CONVOTEL_SPAN = createContextKey('convotel span');

let nestedContexts = 0;
let contextOnStack: Context | undefined;

/** Whether a call that is made now only notes its context, by {@link swapContextOnStack}. */
export function isDeep(): boolean {
  return nestedContexts >= MAX_NESTED_CONTEXTS;
}

/** Notes `active` as the context of the calls that follow on this stack; returns the one before, to be noted again after them. */
export function swapContextOnStack(active: Context | undefined): Context | undefined {
  const above = contextOnStack;
  contextOnStack = active;
  return above;
}

/** The active context; the empty one when the context manager throws or returns none. */
export function activeContext(): Context {
  if (contextOnStack !== undefined) return contextOnStack;
  try {
    const active: Context | undefined = context.active();
    if (active === ROOT_CONTEXT) return ownContexts.getStore() ?? active;
    if (active !== undefined && active !== null) return active;
    reportTrouble('the context manager returned no context');
  } catch (error) {
    reportTrouble('asking for the active context', error);
  }
  return ROOT_CONTEXT;
}

/**
 * Calls `run(argument)` exactly once with `active` as the active context, also when the context manager throws
 * before or after the call, or the stack is too short for it. Returns what `run` returned, and throws only what it threw.
 */
export function runInContext<Argument, Result>(
  active: Context,
  run: (argument: Argument) => Result,
  argument: Argument,
): Result {
  if (isDeep()) {
    const above = swapContextOnStack(active);
    try {
      return run(argument);
    } finally {
      swapContextOnStack(above);
    }
  }
  const call = new Call(active, run, argument);
  try {
    runByManager(active, call as Call<unknown, unknown>);
  } catch {
    // The stack ended in convotel's frames. From this one, there may be enough of it left.
  }
  if (!call.hasRun) return run(argument);
  if (call.hasReturned) return call.result as Result;
  throw call.thrown;
}

/** One call of the program's function, and what became of it. */
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
    reportTrouble('making a step the active one', error);
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

/** Whether the context manager has made `active` the active one; it may have wrapped it, so the spans tell. */
function isActive(active: Context): boolean {
  try {
    const now = activeContext();
    if (now === active) return true;
    return (
      now.getValue(CONVOTEL_SPAN) === active.getValue(CONVOTEL_SPAN) && trace.getSpan(now) === trace.getSpan(active)
    );
  } catch {
    // A broken one was reported when it was asked for the active context.
    return false;
  }
}

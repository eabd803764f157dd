import type { Step } from './step-options.ts';

/** The step of a program that traces nothing at the moment. */
export const NO_STEP: Step = {
  input() {},
  output() {},
  usage() {},
  timing() {},
  firstOutput() {},
  set() {},
  interrupted() {},
};

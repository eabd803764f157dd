import { setTimeout as sleep } from 'node:timers/promises';
import { startTracing } from '@convotel/sdk';
import { planConversations } from './plan-conversations.ts';
import type { PlanOptions } from './plan-conversations.ts';
import { recordPlanned } from './record-planned.ts';

/** What the program is started with, as JSON in its only argument. */
export interface PlannedProgramOptions {
  endpoint: string;
  serviceName: string;
  plan: PlanOptions;
  /** Conversations `[from, to)` of the plan are this process's. */
  part: readonly [from: number, to: number];
  /** Wait after every hundred conversations. */
  pauseMs: number;
}

/** A program that traces its part of a plan, and prints what was delivered as JSON before it ends. */
const options = JSON.parse(process.argv[2]!) as PlannedProgramOptions;
const tracing = startTracing({ serviceName: options.serviceName, endpoint: options.endpoint });
const conversations = planConversations(options.plan).slice(...options.part);
for (const [index, planned] of conversations.entries()) {
  recordPlanned(planned);
  if (index % 100 === 99) {
    // What waits to be sent has bounds, and a program that records the past is quicker than any back end.
    if (index % 2000 === 1999) await tracing.flush({ deadlineMs: 60_000 });
    await sleep(options.pauseMs);
  }
}
console.log(JSON.stringify(await tracing.shutdown({ deadlineMs: 60_000 })));

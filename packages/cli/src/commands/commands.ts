import type { CommandDefinition } from '../command-line/command-definition.ts';
import { averagesCommand } from './averages.ts';
import { backupCommand } from './backup.ts';
import { busiestCommand } from './busiest.ts';
import { commonErrorsCommand } from './common-errors.ts';
import { compareCommand } from './compare.ts';
import { demoCommand } from './demo.ts';
import { errorsCommand } from './errors.ts';
import { hoursCommand } from './hours.ts';
import { longestCommand } from './longest.ts';
import { percentilesCommand } from './percentiles.ts';
import { recentCommand } from './recent.ts';
import { serveCommand } from './serve.ts';
import { slowCommand } from './slow.ts';
import { successCommand } from './success.ts';
import { summaryCommand } from './summary.ts';
import { timelineCommand } from './timeline.ts';
import { traceCommand } from './trace.ts';
import { watchCommand } from './watch.ts';

/** Every command, in the order of the help: try it, look around, one conversation, many, over time. */
export const COMMANDS: readonly CommandDefinition[] = [
  demoCommand,
  serveCommand,
  recentCommand,
  summaryCommand,
  traceCommand,
  timelineCommand,
  averagesCommand,
  percentilesCommand,
  slowCommand,
  longestCommand,
  errorsCommand,
  successCommand,
  commonErrorsCommand,
  hoursCommand,
  busiestCommand,
  compareCommand,
  watchCommand,
  backupCommand,
];

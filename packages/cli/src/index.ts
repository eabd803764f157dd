export { planHistory } from './demo/plan-history.ts';
export type { HistoryPlan, PlannedConversation, PlannedStep } from './demo/plan-history.ts';
export { recordHistory } from './demo/record-history.ts';
export { EXIT_STATUS } from './exit-status.ts';
export type { ExitStatus } from './exit-status.ts';
export { main } from './main.ts';
export type { Terminal } from './terminal.ts';

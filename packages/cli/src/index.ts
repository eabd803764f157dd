export { planHistory, recordHistory } from './demo/history.ts';
export type { HistoryPlan, PlannedConversation, PlannedStep } from './demo/history.ts';
export { EXIT_STATUS } from './exit-status.ts';
export type { ExitStatus } from './exit-status.ts';
export { main } from './main.ts';
export type { Terminal } from './terminal.ts';

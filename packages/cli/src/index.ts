export { planHistory, recordHistory } from './demo/history.ts';
export type { HistoryPlan, PlannedConversation, PlannedStep } from './demo/history.ts';
export { EXIT_STATUS } from './terminal.ts';
export type { ExitStatus } from './terminal.ts';
export { main } from './main.ts';
export type { Terminal } from './terminal.ts';

import type { ConversationDetail, ConversationRow, Report, Finding, StepRow } from '@convotel/query';
import { formatLocalInstant, parseInstant } from '@convotel/query';
import type { TextContext } from '../../src/text/page.ts';

/** Findings shown, no colours, times in UTC. */
export const CONTEXT: TextContext = contextIn('UTC');

/** The same with times of another zone. */
export function contextIn(timeZone: string): TextContext {
  return {
    showFindings: true,
    color: false,
    columns: undefined,
    graph: false,
    localTime: (instant, decimals) => formatLocalInstant(parseInstant(instant), timeZone, decimals),
  };
}

/** What was asked for, as headings say it. */
export const ASKED = { windowText: 'last 24 hours' };

/** An answer in UTC. */
export function report<Command extends string, Data>(
  command: Command,
  data: Data,
  findings: Finding[] = [],
): Report<Command, Data> {
  return {
    command,
    window: { timeZone: 'UTC' },
    source: { kind: 'memory', location: 'memory' },
    coverage: { conversations: 1, spans: 1, complete: true, warnings: [] },
    data,
    findings,
  };
}

/** A finding without evidence, unless told. */
export function finding(rule: string, text: string, overrides: Partial<Finding> = {}): Finding {
  return { rule, severity: 'info', text, evidence: {}, ...overrides };
}

/** A completed conversation of 6 s. */
export function conversationRow(conversationId: string, overrides: Partial<ConversationRow> = {}): ConversationRow {
  return {
    conversationId,
    traceId: '0'.repeat(31) + '1',
    startTime: '2025-10-08T14:30:22.123456Z',
    endTime: '2025-10-08T14:30:28.123456Z',
    totalMs: 6000,
    wallMs: 6000,
    stepCount: 5,
    outcome: 'completed',
    ...overrides,
  };
}

/** A step, completed and outermost unless told. */
export function stepRow(step: string, durationMs: number, overrides: Partial<StepRow> = {}): StepRow {
  return {
    step,
    spanId: '0'.repeat(15) + '1',
    startTime: '2025-10-08T14:30:22.123456Z',
    endTime: '2025-10-08T14:30:28.123456Z',
    durationMs,
    sharePct: 50,
    outcome: 'completed',
    depth: 0,
    ...overrides,
  };
}

/** A conversation of these steps. */
export function conversationDetail(steps: StepRow[], overrides: Partial<ConversationDetail> = {}): ConversationDetail {
  return { ...conversationRow('conversation-1'), stepCount: steps.length, unattributedMs: 0, steps, ...overrides };
}

/** The lines of a text, which ends with exactly one line end. */
export function linesOf(text: string): string[] {
  if (!text.endsWith('\n') || text.endsWith('\n\n')) throw new Error('a text ends with one line end');
  return text.slice(0, -1).split('\n');
}

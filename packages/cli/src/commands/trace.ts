import type { ConversationDetail, Report, StepRow } from '@convotel/query';
import { conversationCommand } from '../command-line/conversation-command.ts';
import { GRAPH_OPTION } from '../command-line/shared-options.ts';
import {
  findingsSection,
  lightRule,
  pageText,
  titleLines,
  bothUnitsText,
  millisecondsText,
  outcomeText,
} from '../text/page.ts';
import type { TextContext } from '../text/page.ts';
import { waterfall, waterfallLegend } from '../text/graph.ts';

/** `trace`: everything about one conversation. */
export const command = conversationCommand({
  examples: [['convotel trace 20251008_143022_a1b2c3d4', 'every step in full']],
  options: GRAPH_OPTION,
  ask: async (source, asked) => {
    const { trace } = await import('@convotel/query');
    return trace(source, asked);
  },
  text: traceText,
});

/** Every step of one conversation in full detail. */
export function traceText(
  { data: detail, findings }: Report<'trace', ConversationDetail>,
  context: TextContext,
): string {
  const hasSeveralServices = new Set(detail.steps.map(({ service }) => service)).size > 1;
  return pageText(
    [
      ...titleLines(`Full Trace: ${detail.conversationId}`, 80, context),
      ...headLines(detail),
      ...(context.graph && detail.steps.length > 0 ? waterfallSection(detail, context) : []),
      ...detail.steps.map((step) => stepText(step, hasSeveralServices, context)),
      ...(detail.steps.length === 0 ? ['', 'No steps'] : []),
      ...findingsSection('ANALYSIS', findings, context),
    ],
    context,
  );
}

/** The details of the conversation besides its steps. */
function headLines({ sessionId, workflow, responseMs }: ConversationDetail): string[] {
  return [
    ...(sessionId === undefined ? [] : [`Session:       ${sessionId}`]),
    ...(workflow === undefined ? [] : [`Workflow:      ${workflow}`]),
    ...(responseMs === undefined ? [] : [`Response:      after ${bothUnitsText(responseMs)}`]),
  ];
}

function waterfallSection(detail: ConversationDetail, context: TextContext): string[] {
  const { heading, rows } = waterfall(detail, context);
  return ['', heading, lightRule(80, context), ...rows, ...waterfallLegend(detail, context)];
}

/** The lines of one step after an empty one, as one text: of very many steps, a list of all lines takes much longer. */
function stepText(step: StepRow, hasSeveralServices: boolean, context: TextContext): string {
  const lines = ['', `Step: ${step.step}${step.depth === 0 ? '' : ` (inside another step, depth ${step.depth})`}`];
  const add = (label: string, value: string | undefined): void => {
    if (value !== undefined) lines.push(`  ${label}${value}`);
  };
  add('Attempt:  ', step.attempt?.toString());
  add('Service:  ', hasSeveralServices ? step.service : undefined);
  add('Model:    ', modelText(step));
  add('Start:    ', context.localTime(step.startTime, 6));
  add('End:      ', context.localTime(step.endTime, 6));
  add('Duration: ', `${millisecondsText(step.durationMs)}ms`);
  add('Status:   ', outcomeText(step.outcome));
  add('First:    ', step.timeToFirstOutputMs === undefined ? undefined : firstOutputText(step.timeToFirstOutputMs));
  add('Timings:  ', timingsText(step.timings));
  add('Input:    ', step.input ?? lengthText(step.inputChars));
  add('Output:   ', step.output ?? lengthText(step.outputChars));
  add('Tokens:   ', tokensText(step));
  add('Audio:    ', step.audioSeconds === undefined ? undefined : `${step.audioSeconds.toFixed(1)}s`);
  add('Error:    ', step.errorMessage ?? step.errorType);
  for (const [name, value] of Object.entries(step.attributes ?? {})) lines.push(`  ${name}: ${attributeText(value)}`);
  return lines.join('\n');
}

/** Provider and model, such as `openai gpt-5`, as far as they are known. */
function modelText({ provider, model }: StepRow): string | undefined {
  return provider === undefined || model === undefined ? (provider ?? model) : `${provider} ${model}`;
}

function tokensText({ inputTokens, outputTokens }: StepRow): string | undefined {
  if (inputTokens === undefined) return outputTokens === undefined ? undefined : `${outputTokens} out`;
  return outputTokens === undefined ? `${inputTokens} in` : `${inputTokens} in, ${outputTokens} out`;
}

function attributeText(value: unknown): string {
  return typeof value === 'string' ? value : JSON.stringify(value);
}

function firstOutputText(milliseconds: number): string {
  return `output after ${millisecondsText(milliseconds)}ms`;
}

function timingsText(timings: Record<string, number> | undefined): string | undefined {
  if (timings === undefined) return undefined;
  const parts = Object.entries(timings).map(([part, milliseconds]) => `${part} ${millisecondsText(milliseconds)}ms`);
  return parts.length === 0 ? undefined : parts.join(', ');
}

/** The length of a text that was not recorded. */
function lengthText(chars: number | undefined): string | undefined {
  return chars === undefined ? undefined : `${chars} characters (text not kept)`;
}

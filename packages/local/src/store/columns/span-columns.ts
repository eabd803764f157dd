import { OUTCOMES, traceIdOf } from '@convotel/conventions';
import type { SpanRecord } from '@convotel/query';
import { SPAN_FIELDS, type SpanField } from '@convotel/query/engine';
import type { Column } from './column.ts';
import { spanIdColumn, traceIdColumn } from './ids.ts';
import {
  bigintColumn,
  booleanColumn,
  doubleColumn,
  enumColumn,
  integerColumn,
  unsignedColumn,
} from './number-columns.ts';
import { textColumn, timingsColumn } from './text-columns.ts';

const ROLES: readonly SpanRecord['role'][] = ['root', 'step', 'other'];

/** The columns of the table `spans`. Made anew for each writer: a column owns its buffers. */
export function createSpanColumns(): Column[] {
  return [
    traceIdColumn('trace_id', (span) => span.traceId),
    spanIdColumn('span_id', (span) => span.spanId),
    spanIdColumn('parent_span_id', (span) => span.parentSpanId),
    bigintColumn('start_ns', (span) => span.startTimeUnixNano),
    bigintColumn('duration_ns', (span) => span.durationNano),
    enumColumn('role', ROLES, (span) => span.role),
    enumColumn('outcome', OUTCOMES, (span) => span.outcome),
    booleanColumn('is_recovered', (span) => span.isRecovered),
    unsignedColumn('step_id', (_, stored) => stored.stepId),
    textColumn('name', (span) => (span.name === span.step ? undefined : span.name)),
    booleanColumn('has_derived_id', createDerivedIdCheck()),
    ...SPAN_FIELDS.filter(({ field, isOfResource }) => field !== 'step' && !isOfResource).map(fieldColumn),
    timingsColumn('timings_s'),
    unsignedColumn('resource_id', (_, stored) => stored.resourceId),
    unsignedColumn('kind', (span) => span.rest?.kind),
    unsignedColumn('flags', (span) => span.rest?.flags),
    textColumn('rest', restOf),
  ];
}

/** The column of a field that holds one text or number. */
function fieldColumn({ field, kind, column }: SpanField): Column {
  switch (kind) {
    case 'text':
      return textColumn(column, (span) => span[field] as string | undefined);
    case 'integer':
      return integerColumn(column, (span) => span[field] as number | undefined);
    case 'double':
      return doubleColumn(column, (span) => span[field] as number | undefined);
  }
}

/** Tells whether a span's trace id follows from its conversation id; false without one. */
function createDerivedIdCheck(): (span: SpanRecord) => boolean {
  // The spans of a conversation mostly come together, and hashing is dear.
  let lastConversationId: string | undefined;
  let lastTraceId: string | undefined;
  return ({ conversationId, traceId }) => {
    if (conversationId === undefined) return false;
    if (conversationId !== lastConversationId) {
      lastConversationId = conversationId;
      lastTraceId = traceIdOf(conversationId);
    }
    return traceId === lastTraceId;
  };
}

/** What of `span.rest` has neither a column nor a place in the table `resources`, as JSON. */
function restOf({ rest }: SpanRecord): string | undefined {
  if (rest === undefined) return undefined;
  const { attributes, events, links, status, traceState } = rest;
  const isEmpty =
    attributes === undefined &&
    events === undefined &&
    links === undefined &&
    status === undefined &&
    traceState === undefined;
  return isEmpty ? undefined : JSON.stringify({ traceState, status, attributes, events, links });
}

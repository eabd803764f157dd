import type { GroupBy, SpanRecord } from '@convotel/query';
import { compareText } from '@convotel/query/engine';
import type { NaiveSpans } from './naive-spans.ts';

/** The fields that hold an attribute, of those that data sets are grouped by. */
const FIELDS: Readonly<Record<string, keyof SpanRecord>> = {
  'gen_ai.request.model': 'model',
  'gen_ai.provider.name': 'provider',
  'gen_ai.workflow.name': 'workflow',
  'gen_ai.usage.input_tokens': 'inputTokens',
  'session.id': 'sessionId',
  'conversation.outcome': 'outcome',
  'conversation.step.name': 'step',
};

/** What a span itself says of an attribute, as text; undefined also where that is empty. */
export function ownValueOf(span: SpanRecord, attribute: string): string | undefined {
  const field = Object.hasOwn(FIELDS, attribute) ? FIELDS[attribute] : undefined;
  const said = field === undefined ? undefined : (span[field] as string | number | undefined);
  return said === undefined ? keptValue(span.rest?.attributes, attribute) : String(said) || undefined;
}

/** What a span's resource says of an attribute. */
export function resourceValueOf({ serviceName, rest }: SpanRecord, attribute: string): string | undefined {
  return attribute === 'service.name' ? serviceName || undefined : keptValue(rest?.resourceAttributes, attribute);
}

type KeyValue = { key: string; value: Record<string, unknown> };

function keptValue(attributes: readonly unknown[] = [], attribute: string): string | undefined {
  const value = (attributes as KeyValue[]).find(({ key }) => key === attribute)?.value ?? {};
  const [kind, said] = Object.entries(value)[0] ?? [];
  return kind === undefined || /^(array|kvlist)/.test(kind) ? undefined : String(said) || undefined;
}

/** The value that a step or root is grouped by. */
export function valueOf(store: NaiveSpans, span: SpanRecord, attribute: string): string | undefined {
  const own = ownValueOf(span, attribute);
  if (own !== undefined) return own;
  const roots = store.ofTrace(span.traceId).filter(({ role }) => role === 'root');
  const ofRoots = roots.flatMap((root) => ownValueOf(root, attribute) ?? []).sort(compareText);
  return ofRoots[0] ?? resourceValueOf(span, attribute);
}

/** The groups by name, and which a span or a conversation is in; without `groupBy` one without a name. */
export interface NaiveGroups {
  names: (string | undefined)[];
  of: (span: SpanRecord) => string | undefined;
  ofConversation: (spans: SpanRecord[]) => (string | undefined)[];
}

export function groupsOf(
  store: NaiveSpans,
  groupBy: GroupBy | undefined,
  original = (span: SpanRecord): SpanRecord => span,
): NaiveGroups {
  if (groupBy === undefined) return { names: [undefined], of: () => undefined, ofConversation: () => [undefined] };
  const of = (span: SpanRecord): string => {
    const value = valueOf(store, original(span), groupBy.attribute);
    if (value === undefined) return '(none)';
    return groupBy.values.includes(value) ? value : '(other)';
  };
  const ofConversation = (spans: SpanRecord[]): string[] => {
    const steps = spans.filter(({ role }) => role === 'step');
    const roots = spans.filter(({ role }) => role === 'root');
    const names = [...new Set((steps.length > 0 ? steps : roots).map(of))];
    return names.length === 1 ? names : names.filter((name) => name !== '(none)');
  };
  return { names: [...groupBy.values, '(other)', '(none)'], of, ofConversation };
}

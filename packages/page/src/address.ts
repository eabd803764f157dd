import { useEffect, useState } from 'preact/hooks';
import type { ConversationFilters, ConversationOutcome, UsageGroup, Window } from '@convotel/query/answers';
import { parseInstant } from '@convotel/query/answers';

/** The views of the page, in the order of the navigation. */
export const VIEWS = ['now', 'conversations', 'sessions', 'steps', 'compare', 'usage'] as const;
export type View = (typeof VIEWS)[number];

export const ORDERS = ['newest', 'longest', 'attention'] as const;
/** `attention`: failures first, then open conversations, then the slowest. */
export type Order = (typeof ORDERS)[number];

/** What *Usage* groups its rows by. */
export const USAGE_GROUPS = ['model', 'step', 'day', 'workflow', 'session'] as const satisfies readonly UsageGroup[];

export const OUTCOMES: readonly ConversationOutcome[] = [
  'completed',
  'failed',
  'timed_out',
  'abandoned',
  'interrupted',
  'open',
];

/** A time range in RFC 3339. */
export type Stretch = readonly [since: string, until: string];

/** Everything that determines what is on the screen. It is stored in the URL, so that a link shows others the same. */
export interface Address {
  view: View;
  /** The conversation that is open in the view `conversations`. */
  conversationId?: string | undefined;
  /** The session that is open in the view `sessions`. */
  sessionId?: string | undefined;
  /** The selected step: a span id in a conversation, else a step name. */
  step?: string | undefined;
  /** A duration back from now (`24h`), or a time. */
  since: string;
  /** A time. @defaultValue now */
  until?: string | undefined;
  /** Where `compare` splits the window, unless it has two windows. */
  split?: string | undefined;
  /** The two windows of `compare`, if the user has chosen them. */
  before?: Stretch | undefined;
  after?: Stretch | undefined;
  /** What `usage` groups its rows by. */
  by: UsageGroup;
  order: Order;
  filters: ConversationFilters;
  /** Part of a conversation's id. */
  find?: string | undefined;
  /** IANA time zone. @defaultValue that of the browser */
  zone?: string | undefined;
}

const DEFAULT_SINCE = '24h';
const FILTER_NAMES = ['outcome', 'workflow', 'service', 'session'] as const;

/** Parses the part after `#` of the URL. Unknown values fall back to the default. */
export function parseAddress(hash: string): Address {
  const [path = '', query = ''] = hash.replace(/^#?\/?/, '').split('?', 2);
  const [view = '', id] = path.split('/', 2);
  const parameters = new URLSearchParams(query);
  const filters: ConversationFilters = {};
  for (const name of FILTER_NAMES) {
    const value = parameters.get(name);
    if (value === null || value === '') continue;
    if (name === 'outcome') {
      const outcome = OUTCOMES.find((each) => each === value);
      if (outcome !== undefined) filters.outcome = outcome;
    } else filters[name] = value;
  }
  const since = parameters.get('since') ?? DEFAULT_SINCE;
  const until = timeIn(parameters, 'until');
  const opened = id === undefined || id === '' ? undefined : decoded(id);
  return {
    view: VIEWS.find((each) => each === view) ?? 'now',
    conversationId: view === 'conversations' ? opened : undefined,
    sessionId: view === 'sessions' ? opened : undefined,
    step: parameters.get('step') ?? undefined,
    since: durationMs(since) !== undefined || isTime(since) ? since : DEFAULT_SINCE,
    until,
    split: timeIn(parameters, 'split'),
    before: stretchIn(parameters, 'before'),
    after: stretchIn(parameters, 'after'),
    by: USAGE_GROUPS.find((each) => each === parameters.get('by')) ?? 'model',
    order: ORDERS.find((each) => each === parameters.get('order')) ?? 'newest',
    filters,
    find: parameters.get('find') || undefined,
    zone: zoneIn(parameters),
  };
}

/** The part after `#`, without defaults. */
export function formatAddress(address: Address): string {
  const { view, conversationId, sessionId, since, order, by, filters } = address;
  const opened = conversationId ?? sessionId;
  const parameters = new URLSearchParams();
  const set = (name: string, value: string | undefined): void => {
    if (value !== undefined && value !== '') parameters.set(name, value);
  };
  if (since !== DEFAULT_SINCE) set('since', since);
  set('until', address.until);
  set('split', address.split);
  set('before', address.before?.join('/'));
  set('after', address.after?.join('/'));
  if (by !== 'model') set('by', by);
  for (const name of FILTER_NAMES) set(name, filters[name]);
  if (order !== 'newest') set('order', order);
  set('find', address.find);
  set('step', address.step);
  set('tz', address.zone);
  const query = parameters.toString();
  const path = opened === undefined ? view : `${view}/${encodeURIComponent(opened)}`;
  return `#/${path}${query === '' ? '' : `?${query}`}`;
}

const UNIT_MS: Readonly<Record<string, number>> = { s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 };

/** Milliseconds of a duration such as `24h`; undefined for anything else. */
export function durationMs(text: string): number | undefined {
  const [, count = '', unit = ''] = /^(\d{1,6})([smhd])$/.exec(text) ?? [];
  const unitMs = UNIT_MS[unit];
  return unitMs === undefined || Number(count) === 0 ? undefined : Number(count) * unitMs;
}

/** Whether the window moves with the clock. */
export function isMoving({ since, until }: Address): boolean {
  return until === undefined && durationMs(since) !== undefined;
}

const NANO_PER_MS = 1_000_000n;

/** The window of the address at the time `nowUnixMs`. */
export function windowOf({ since, until }: Pick<Address, 'since' | 'until'>, nowUnixMs: number): Window {
  const untilUnixNano = until === undefined ? BigInt(Math.ceil(nowUnixMs)) * NANO_PER_MS : parseInstant(until);
  const back = durationMs(since);
  const sinceUnixNano = back === undefined ? parseInstant(since) : untilUnixNano - BigInt(back) * NANO_PER_MS;
  // A link may contain any two times; an empty window would cause an error.
  return sinceUnixNano < untilUnixNano
    ? { sinceUnixNano, untilUnixNano }
    : { sinceUnixNano: untilUnixNano, untilUnixNano: sinceUnixNano + 1n };
}

/** The window of the same length just before `window`. */
export function windowBefore({ sinceUnixNano, untilUnixNano }: Window): Window {
  const earliest = sinceUnixNano - (untilUnixNano - sinceUnixNano);
  return { sinceUnixNano: earliest < 0n ? 0n : earliest, untilUnixNano: sinceUnixNano };
}

/** Unix milliseconds of a bound of a window. */
export function unixMs(unixNano: bigint): number {
  return Number(unixNano / NANO_PER_MS);
}

/** RFC 3339 in milliseconds, for the URL. */
export function timeText(atUnixMs: number): string {
  return new Date(Math.round(atUnixMs)).toISOString();
}

function timeIn(parameters: URLSearchParams, name: string): string | undefined {
  const text = parameters.get(name);
  return text !== null && isTime(text) ? text : undefined;
}

/** Parses two times with a slash between them, as in ISO 8601 intervals. */
function stretchIn(parameters: URLSearchParams, name: string): Stretch | undefined {
  const [since = '', until = '', ...more] = (parameters.get(name) ?? '').split('/');
  if (more.length > 0 || !isTime(since) || !isTime(until)) return undefined;
  return parseInstant(since) < parseInstant(until) ? [since, until] : undefined;
}

function isTime(text: string): boolean {
  try {
    return parseInstant(text) >= 0n;
  } catch {
    return false;
  }
}

function zoneIn(parameters: URLSearchParams): string | undefined {
  const zone = parameters.get('tz');
  if (zone === null) return undefined;
  try {
    return new Intl.DateTimeFormat('en', { timeZone: zone }).resolvedOptions().timeZone;
  } catch {
    return undefined;
  }
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

/** The current address; re-renders when it changes. */
export function useAddress(): Address {
  const [hash, setHash] = useState(location.hash);
  useEffect(() => {
    const read = (): void => setHash(location.hash);
    addEventListener('hashchange', read);
    return () => removeEventListener('hashchange', read);
  }, []);
  return parseAddress(hash);
}

/** Goes to `address` and adds an entry to the history. */
export function goTo(address: Address): void {
  location.hash = formatAddress(address);
}

/** Goes to `address` and replaces the current entry of the history, for example for each letter typed into a filter. */
export function replaceAddress(address: Address): void {
  history.replaceState(null, '', formatAddress(address));
  dispatchEvent(new HashChangeEvent('hashchange'));
}

/** The time zone of the browser. */
export function ownZone(): string {
  return new Intl.DateTimeFormat().resolvedOptions().timeZone;
}

import type { ConversationFilters, ConversationOutcome, Window } from '@convotel/query/answers';
import { parseInstant } from '@convotel/query/answers';

/** The views of the page, in the order of the navigation. */
export const VIEWS = ['now', 'conversations', 'steps', 'compare'] as const;
export type View = (typeof VIEWS)[number];

export const ORDERS = ['newest', 'longest', 'attention'] as const;
/** `attention`: failures first, then what is open, then the slowest. */
export type Order = (typeof ORDERS)[number];

export const OUTCOMES: readonly ConversationOutcome[] = [
  'completed',
  'failed',
  'timed_out',
  'abandoned',
  'interrupted',
  'open',
];

/** Everything that decides what is on the screen; it stands in the address, so a link shows the same to others. */
export interface Address {
  view: View;
  /** The conversation that is open, within `conversations`. */
  conversationId?: string | undefined;
  /** The step that is chosen: a span's id for a conversation, else a name. */
  step?: string | undefined;
  /** A duration back from now (`24h`), or a time. */
  since: string;
  /** A time; now when absent. */
  until?: string | undefined;
  /** Where `compare` parts the window. */
  split?: string | undefined;
  order: Order;
  filters: ConversationFilters;
  /** Part of a conversation's id. */
  find?: string | undefined;
  /** IANA zone; the viewer's when absent. */
  zone?: string | undefined;
}

const DEFAULT_SINCE = '24h';
const FILTER_NAMES = ['outcome', 'workflow', 'service', 'session'] as const;

/** Reads what stands behind `#` in the address. Whatever it does not know falls back to the default. */
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
  return {
    view: VIEWS.find((each) => each === view) ?? 'now',
    conversationId: id === undefined || id === '' ? undefined : decoded(id),
    step: parameters.get('step') ?? undefined,
    since: durationMs(since) !== undefined || isTime(since) ? since : DEFAULT_SINCE,
    until,
    split: timeIn(parameters, 'split'),
    order: ORDERS.find((each) => each === parameters.get('order')) ?? 'newest',
    filters,
    find: parameters.get('find') || undefined,
    zone: zoneIn(parameters),
  };
}

/** The address as it stands behind `#`, without what is the default. */
export function formatAddress(address: Address): string {
  const { view, conversationId, since, order, filters } = address;
  const parameters = new URLSearchParams();
  const set = (name: string, value: string | undefined): void => {
    if (value !== undefined && value !== '') parameters.set(name, value);
  };
  if (since !== DEFAULT_SINCE) set('since', since);
  set('until', address.until);
  set('split', address.split);
  for (const name of FILTER_NAMES) set(name, filters[name]);
  if (order !== 'newest') set('order', order);
  set('find', address.find);
  set('step', address.step);
  set('tz', address.zone);
  const query = parameters.toString();
  const path = conversationId === undefined ? view : `${view}/${encodeURIComponent(conversationId)}`;
  return `#/${path}${query === '' ? '' : `?${query}`}`;
}

const UNIT_MS: Readonly<Record<string, number>> = { s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 };

/** Milliseconds of a duration such as `24h`; undefined for anything else. */
export function durationMs(text: string): number | undefined {
  const [, count = '', unit = ''] = /^(\d{1,6})([smhd])$/.exec(text) ?? [];
  const unitMs = UNIT_MS[unit];
  return unitMs === undefined || Number(count) === 0 ? undefined : Number(count) * unitMs;
}

/** Whether the window moves on with the clock. */
export function isMoving({ since, until }: Address): boolean {
  return until === undefined && durationMs(since) !== undefined;
}

const NANO_PER_MS = 1_000_000n;

/** The window that the address asks for, seen at `nowUnixMs`. */
export function windowOf({ since, until }: Pick<Address, 'since' | 'until'>, nowUnixMs: number): Window {
  const untilUnixNano = until === undefined ? BigInt(Math.ceil(nowUnixMs)) * NANO_PER_MS : parseInstant(until);
  const back = durationMs(since);
  const sinceUnixNano = back === undefined ? parseInstant(since) : untilUnixNano - BigInt(back) * NANO_PER_MS;
  // A link may hold any two times; an empty window would be an error without need.
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

/** RFC 3339 of whole milliseconds, for the address. */
export function timeText(atUnixMs: number): string {
  return new Date(Math.round(atUnixMs)).toISOString();
}

function timeIn(parameters: URLSearchParams, name: string): string | undefined {
  const text = parameters.get(name);
  return text !== null && isTime(text) ? text : undefined;
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

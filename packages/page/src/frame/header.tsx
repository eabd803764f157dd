import { useEffect, useMemo, useState } from 'preact/hooks';
import type { ConversationFilters } from '@convotel/query/answers';
import { formatAddress, goTo, isMoving, ownZone, timeText, unixMs, VIEWS, windowOf } from '../address.ts';
import type { Address, View } from '../address.ts';
import { firstAnswerSaw } from '../asking/ask.ts';
import { inputTime, readInputTime, shortTimeWords } from '../words.ts';
import type { ViewProps } from './view.tsx';

const VIEW_WORDS: Readonly<Record<View, string>> = {
  now: 'Now',
  conversations: 'Conversations',
  sessions: 'Sessions',
  steps: 'Steps',
  compare: 'Compare',
  usage: 'Usage',
};

const WINDOWS: readonly (readonly [since: string, words: string])[] = [
  ['15m', 'Last 15 minutes'],
  ['1h', 'Last hour'],
  ['24h', 'Last 24 hours'],
  ['7d', 'Last 7 days'],
  ['30d', 'Last 30 days'],
];

/** The name, the navigation, and the controls for window, filters and time zone. */
export function Header({ address, zone, about }: ViewProps) {
  return (
    <header class="top">
      <a class="name" href={linkTo(address, 'now')} aria-label="convotel, to Now">
        <svg viewBox="0 0 32 32" aria-hidden="true">
          <rect x="2" y="5" width="13" height="6" rx="3" />
          <rect x="8" y="13" width="21" height="6" rx="3" />
          <rect x="19" y="21" width="10" height="6" rx="3" opacity=".55" />
        </svg>
        convotel
      </a>
      <nav aria-label="Views">
        {VIEWS.map((view) => (
          <a key={view} href={linkTo(address, view)} aria-current={address.view === view ? 'page' : undefined}>
            {VIEW_WORDS[view]}
          </a>
        ))}
      </nav>
      <div class="choices">
        {about === undefined ? null : (
          <span class="source" title={`Answered by ${about.source.location}`}>
            {about.source.kind}
          </span>
        )}
        <FilterChips address={address} />
        <WindowChoice address={address} zone={zone} />
        <ZoneChoice address={address} zone={zone} />
        {isMoving(address) ? (
          <span class="live" title="Asked again while this page is visible">
            live
          </span>
        ) : null}
      </div>
    </header>
  );
}

/** The link to another view with the same window and filters. */
function linkTo(address: Address, view: View): string {
  const { since, until, filters, zone, order, by } = address;
  return formatAddress({ view, since, until, filters, zone, order, by });
}

/** Active filters that have no field; a click removes one. */
function FilterChips({ address }: { address: Address }) {
  const isList = address.view === 'conversations' && address.conversationId === undefined;
  if (isList || address.conversationId !== undefined || address.sessionId !== undefined) return null;
  return (
    <>
      {Object.entries(address.filters).map(([name, value]) => {
        const { [name as keyof ConversationFilters]: _removed, ...filters } = address.filters;
        return (
          <a key={name} class="filter-chip" href={formatAddress({ ...address, filters })}>
            <span class="unseen">Remove the filter </span>
            {name} {value} <span aria-hidden="true">✕</span>
          </a>
        );
      })}
    </>
  );
}

/** The choice of two times instead of a duration. */
const BETWEEN = 'between';

function WindowChoice({ address, zone }: Pick<ViewProps, 'address' | 'zone'>) {
  const { since, until } = address;
  const isListed = until === undefined && WINDOWS.some(([each]) => each === since);
  const choose = (event: Event): void => {
    const { value } = event.currentTarget as HTMLSelectElement;
    const others = { ...address, split: undefined, before: undefined, after: undefined };
    if (value === BETWEEN) {
      const { sinceUnixNano, untilUnixNano } = windowOf(address, Date.now());
      goTo({ ...others, since: timeText(unixMs(sinceUnixNano)), until: timeText(unixMs(untilUnixNano)) });
    } else if (value !== '') goTo({ ...others, since: value, until: undefined });
  };
  return (
    <>
      <label>
        <span class="unseen">Window</span>
        <select value={isListed ? since : ''} onChange={choose}>
          {WINDOWS.map(([value, words]) => (
            <option key={value} value={value}>
              {words}
            </option>
          ))}
          <option value={BETWEEN}>Between two times…</option>
          {isListed ? null : <option value="">{windowWords(since, until, zone)}</option>}
        </select>
      </label>
      {until === undefined ? null : (
        <span class="window-ends">
          <TimeInput label="From" at={since} zone={zone} onTime={(time) => goTo({ ...address, since: time })} />
          <TimeInput label="until" at={until} zone={zone} onTime={(time) => goTo({ ...address, until: time })} />
        </span>
      )}
    </>
  );
}

function windowWords(since: string, until: string | undefined, zone: string): string {
  const words = (time: string): string =>
    Number.isNaN(Date.parse(time)) ? time : shortTimeWords(Date.parse(time), zone);
  return until === undefined ? `Since ${words(since)}` : `${words(since)} to ${words(until)}`;
}

/** An input for a date and time in `zone`. */
export function TimeInput(props: { label: string; at: string; zone: string; onTime: (time: string) => void }) {
  const { label, at, zone, onTime } = props;
  const read = (event: Event): void => {
    const time = readInputTime((event.currentTarget as HTMLInputElement).value, zone);
    if (time !== undefined) onTime(new Date(time).toISOString());
  };
  return (
    <label class="time-input">
      {label} <input type="datetime-local" value={inputTime(Date.parse(at), zone)} onChange={read} />
    </label>
  );
}

function ZoneChoice({ address, zone }: Pick<ViewProps, 'address' | 'zone'>) {
  const own = ownZone();
  const zones = [...new Set([own, 'UTC', zone])];
  // There are more than four hundred, so they are rendered once, after everything else is visible.
  const [isReady, setIsReady] = useState(false);
  useEffect(() => void firstAnswerSaw.then(() => setIsReady(true)), []);
  const others = useMemo(
    () =>
      isReady
        ? Intl.supportedValuesOf('timeZone')
            .filter((each) => !zones.includes(each))
            .map((each) => (
              <option key={each} value={each}>
                {each}
              </option>
            ))
        : [],
    [isReady, zones.join(' ')],
  );
  const choose = (event: Event): void => {
    const { value } = event.currentTarget as HTMLSelectElement;
    goTo({ ...address, zone: value === own ? undefined : value });
  };
  return (
    <label>
      <span class="unseen">Time zone</span>
      <select value={zone} onChange={choose} class="zone">
        {zones.map((each) => (
          <option key={each} value={each}>
            {each}
          </option>
        ))}
        <optgroup label="Elsewhere">{others}</optgroup>
      </select>
    </label>
  );
}

import { formatAddress, isMoving, VIEWS } from '../address/address.ts';
import type { Address, View } from '../address/address.ts';
import { goTo, ownZone } from '../address/use-address.ts';
import { inputTime, readInputTime, shortTimeWords } from '../words/words.ts';
import type { ViewProps } from './view-props.ts';

const VIEW_WORDS: Readonly<Record<View, string>> = {
  now: 'Now',
  conversations: 'Conversations',
  steps: 'Steps',
  compare: 'Compare',
};

const WINDOWS: readonly (readonly [since: string, words: string])[] = [
  ['15m', 'Last 15 minutes'],
  ['1h', 'Last hour'],
  ['24h', 'Last 24 hours'],
  ['7d', 'Last 7 days'],
  ['30d', 'Last 30 days'],
];

/** Name, views, and what holds in all of them: the window, the filters and the zone. */
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

/** The same window and filters in another view. */
function linkTo(address: Address, view: View): string {
  return formatAddress({ ...address, view, conversationId: undefined, step: undefined, split: undefined });
}

function WindowChoice({ address, zone }: Pick<ViewProps, 'address' | 'zone'>) {
  const { since, until } = address;
  const isListed = until === undefined && WINDOWS.some(([each]) => each === since);
  const choose = (event: Event): void => {
    const { value } = event.currentTarget as HTMLSelectElement;
    if (value !== '') goTo({ ...address, since: value, until: undefined, split: undefined });
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

/** A date and a time on the clocks of the zone. */
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
  const others = Intl.supportedValuesOf('timeZone').filter((each) => !zones.includes(each));
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
        <optgroup label="Elsewhere">
          {others.map((each) => (
            <option key={each} value={each}>
              {each}
            </option>
          ))}
        </optgroup>
      </select>
    </label>
  );
}

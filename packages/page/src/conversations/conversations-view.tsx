import { useMemo } from 'preact/hooks';
import { OUTCOMES, ORDERS, replaceAddress } from '../address.ts';
import type { Address, Order } from '../address.ts';
import { PartsIndex } from '../drawing/bars.tsx';
import { StepLegend } from '../drawing/marks.tsx';
import { Notes, Problem } from '../frame/view.tsx';
import type { ViewProps } from '../frame/view.tsx';
import { countText, countWords, outcomeWords } from '../words.ts';
import { ConversationList, FIND_FIELD } from './conversation-list.tsx';
import { MOST_ROWS, useLiveConversations, useOrdered } from './live-conversations.ts';

const ORDER_WORDS: Readonly<Record<Order, string>> = {
  newest: 'Newest first',
  longest: 'Longest first',
  attention: 'Needs attention first',
};

/** All conversations of the window, updated live. */
export function ConversationsView({ address, zone }: ViewProps) {
  const live = useLiveConversations(address, zone);
  const rows = useOrdered(live.rows, address);
  const parts = useMemo(() => live.parts.map((each) => new PartsIndex(each)), [live.parts]);
  const steps = useMemo(
    () => [...new Set(live.parts.flatMap((each) => each.steps.map(({ step }) => step)))],
    [live.parts],
  );
  const known = { value: live.coverage === undefined ? undefined : { coverage: live.coverage }, error: live.error };
  return (
    <section class="conversations">
      <div class="view-head">
        <h1>Conversations</h1>
        <p class="soft" role="status">
          {rows === undefined ? 'Asking…' : countLine(rows.length, live.rows?.length ?? 0)}
        </p>
      </div>
      <Filters address={address} />
      <Problem known={known} />
      <Notes known={known} />
      <StepLegend steps={steps} />
      {rows === undefined ? null : rows.length === 0 ? (
        <p class="nothing">
          No conversation in this window{Object.keys(address.filters).length > 0 ? ' passes the filters' : ''}. Choose a
          longer window{Object.keys(address.filters).length > 0 ? ' or other filters' : ''}.
        </p>
      ) : (
        <ConversationList rows={rows} parts={parts} address={address} zone={zone} />
      )}
      <p class="keys soft">
        <kbd>j</kbd> <kbd>k</kbd> next, previous · <kbd>Enter</kbd> open · <kbd>e</kbd> next that failed · <kbd>/</kbd>{' '}
        find
      </p>
    </section>
  );
}

function countLine(shown: number, read: number): string {
  const all = countWords(shown, 'conversation');
  if (read === MOST_ROWS) return `${all}; no more than ${countText(MOST_ROWS)} are read, choose a shorter window`;
  return shown === read ? all : `${countText(shown)} of ${countWords(read, 'conversation')}`;
}

function Filters({ address }: { address: Address }) {
  const { filters, order, find } = address;
  const set = (name: keyof typeof filters, value: string): void => {
    const { [name]: _before, ...others } = filters;
    replaceAddress({ ...address, filters: value === '' ? others : { ...others, [name]: value } });
  };
  const text = (name: 'workflow' | 'service' | 'session', label: string) => (
    <label>
      {label}
      <input
        type="text"
        value={filters[name] ?? ''}
        onChange={(event) => set(name, event.currentTarget.value.trim())}
      />
    </label>
  );
  return (
    <form class="filters" role="search" onSubmit={(event) => event.preventDefault()}>
      <label>
        Find
        <input
          id={FIND_FIELD}
          type="search"
          placeholder="part of an id"
          value={find ?? ''}
          onInput={(event) => replaceAddress({ ...address, find: event.currentTarget.value || undefined })}
        />
      </label>
      <label>
        Outcome
        <select value={filters.outcome ?? ''} onChange={(event) => set('outcome', event.currentTarget.value)}>
          <option value="">any</option>
          {OUTCOMES.map((outcome) => (
            <option key={outcome} value={outcome}>
              {outcomeWords(outcome)}
            </option>
          ))}
        </select>
      </label>
      {text('workflow', 'Workflow')}
      {text('service', 'Service')}
      {text('session', 'Session')}
      <label>
        Order
        <select
          value={order}
          onChange={(event) => replaceAddress({ ...address, order: event.currentTarget.value as Order })}
        >
          {ORDERS.map((each) => (
            <option key={each} value={each}>
              {ORDER_WORDS[each]}
            </option>
          ))}
        </select>
      </label>
    </form>
  );
}

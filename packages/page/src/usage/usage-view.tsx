import type { UsageGroup, UsageRow } from '@convotel/query/answers';
import { formatAddress, USAGE_GROUPS } from '../address.ts';
import type { Address } from '../address.ts';
import { ask } from '../asking/ask.ts';
import { askedFor, useAnswer } from '../asking/use-answer.ts';
import { CellBar, countCell, Table } from '../drawing/table.tsx';
import type { Column } from '../drawing/table.tsx';
import { Answered } from '../frame/view.tsx';
import type { ViewProps } from '../frame/view.tsx';
import { countText } from '../words.ts';

const GROUP_WORDS: Readonly<Record<UsageGroup, string>> = {
  model: 'Model',
  step: 'Step',
  day: 'Day',
  workflow: 'Workflow',
  session: 'Session',
};

/** Model usage, and its cost at the prices in the server's settings. */
export function UsageView(props: ViewProps) {
  const { address, about } = props;
  const { by } = address;
  const { prices, currency, kinds } = about?.settings ?? {};
  const { key, everyMs, options } = askedFor(props);
  const known = useAnswer(
    `usage ${by} ${key} ${JSON.stringify([prices, kinds])}`,
    () => ask('usage', { ...options(), by, prices, kinds }),
    everyMs,
  );
  return (
    <section class="usage">
      <div class="view-head">
        <h1>Usage</h1>
        <p class="soft">
          Calls of models, the tokens they took and gave, the characters that were spoken, and the audio.
        </p>
      </div>
      <nav class="groups" aria-label="Rows are about">
        {USAGE_GROUPS.map((group) => (
          <a
            key={group}
            href={formatAddress({ ...address, by: group })}
            aria-current={group === by ? 'true' : undefined}
          >
            By {GROUP_WORDS[group].toLowerCase()}
          </a>
        ))}
      </nav>
      <Answered known={known}>
        {({ data }) =>
          data.rows.length === 0 ? (
            <p class="nothing">No use of models in this window. Choose a longer one.</p>
          ) : (
            <>
              <Table
                label={`Usage by ${by}`}
                columns={columnsFor(data.by, data.rows, currency, address)}
                rows={[...data.rows, data.total]}
                keyOf={(row) => (row === data.total ? 'total' : `row ${row.group ?? ''}`)}
                look={(row) => (row === data.total ? 'whole-row' : '')}
              />
              {data.unpricedModels.map((model) => (
                <p key={model} class="soft">
                  No price for {model}: add one under "prices" in convotel.json.
                </p>
              ))}
              {data.unmeasuredModels.map((model) => (
                <p key={model} class="soft">
                  No seconds of audio for {model}: say them with step.usage({'{ audioSeconds }'}).
                </p>
              ))}
              {prices === undefined ? (
                <p class="soft">
                  With prices of models under "prices" in the convotel.json of the server, this shows what it cost.
                </p>
              ) : null}
            </>
          )
        }
      </Answered>
    </section>
  );
}

function columnsFor(
  by: UsageGroup,
  rows: readonly UsageRow[],
  currency: string | undefined,
  address: Address,
): Column<UsageRow>[] {
  const isTotal = (row: UsageRow): boolean => !rows.includes(row);
  const hasCost = rows.some(({ cost }) => cost !== undefined);
  // The bar shows the cost, or the number of calls if there are no prices.
  const sizeOf = ({ cost, calls }: UsageRow): number => (hasCost ? (cost ?? 0) : calls);
  const scale = Math.max(...rows.map(sizeOf));
  const barOf = (row: UsageRow, words: string) =>
    isTotal(row) ? words : <CellBar value={sizeOf(row)} scale={scale} words={words} look="look-session" />;
  return [
    {
      name: GROUP_WORDS[by],
      cell: (row) => {
        if (isTotal(row)) return 'Total';
        if (row.group === undefined) return <span class="soft">not said</span>;
        const link = linkTo(by, row.group, address);
        return link === undefined ? row.group : <a href={link}>{row.group}</a>;
      },
    },
    {
      name: 'Calls',
      isNumber: true,
      cell: (row) => (hasCost ? countText(row.calls) : barOf(row, countText(row.calls))),
    },
    { name: 'Input tokens', isNumber: true, cell: ({ inputTokens }) => countCell(inputTokens) },
    { name: 'Output tokens', isNumber: true, cell: ({ outputTokens }) => countCell(outputTokens) },
    { name: 'Spoken characters', isNumber: true, cell: ({ spokenChars }) => countCell(spokenChars) },
    ...(hasCost
      ? ([
          {
            name: currency === undefined ? 'Cost' : `Cost (${currency})`,
            isNumber: true,
            cell: (row) => barOf(row, row.cost?.toFixed(4) ?? '–'),
          },
          { name: 'Calls without a price', isNumber: true, cell: ({ unpricedCalls }) => countText(unpricedCalls) },
        ] satisfies Column<UsageRow>[])
      : []),
  ];
}

/** The link to the details of one group. */
function linkTo(by: UsageGroup, group: string, address: Address): string | undefined {
  switch (by) {
    case 'session':
      return formatAddress({ ...address, view: 'sessions', sessionId: group });
    case 'step':
      return formatAddress({ ...address, view: 'steps', step: group });
    case 'workflow':
      return formatAddress({ ...address, by: 'model', filters: { ...address.filters, workflow: group } });
    case 'model':
    case 'day':
      return undefined;
  }
}

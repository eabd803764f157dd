import { useMemo, useState } from 'preact/hooks';
import type uPlot from 'uplot';
import { unixMs, windowOf } from '../address/address.ts';
import type { Address } from '../address/address.ts';
import { goTo } from '../address/use-address.ts';
import { ask } from '../asking/ask.ts';
import { shownConversation } from '../asking/rows.ts';
import type { ShownConversation } from '../asking/rows.ts';
import { useAnswer } from '../asking/use-answer.ts';
import { TimeChart } from '../drawing/time-chart.tsx';
import { Answered } from '../frame/answered.tsx';
import { durationWords, outcomeWords, shortTimeWords } from '../words/words.ts';
import { drawDots, nearestDot } from '../drawing/draw-dots.ts';

const HEIGHT_PX = 240;
/** Never a line between conversations: they are drawn one by one. */
const SERIES: uPlot.Series[] = [{ paths: () => null, points: { show: false } }];

/** Each conversation a dot by start and duration; where there are many, how many there are in each place. */
export function ConversationDots(props: { address: Address; zone: string; everyMs: number | undefined }) {
  const { address, zone, everyMs } = props;
  const { since, until, filters } = address;
  const known = useAnswer(
    `dots ${JSON.stringify([since, until, filters, zone])}`,
    async () => {
      const window = windowOf(address, Date.now());
      const report = await ask('recent', { timeZone: zone, filters, window, limit: 10_000 });
      return { ...report, rows: report.data.map(shownConversation).toReversed(), asked: window };
    },
    everyMs,
  );
  return (
    <Answered known={known}>
      {({ rows, asked }) => (
        <Dots
          rows={rows}
          sinceSeconds={unixMs(asked.sinceUnixNano) / 1000}
          untilSeconds={unixMs(asked.untilUnixNano) / 1000}
          address={address}
          zone={zone}
        />
      )}
    </Answered>
  );
}

interface DotsProps {
  rows: ShownConversation[];
  sinceSeconds: number;
  untilSeconds: number;
  address: Address;
  zone: string;
}

function Dots({ rows, sinceSeconds, untilSeconds, address, zone }: DotsProps) {
  const [near, setNear] = useState<ShownConversation>();
  const data = useMemo<uPlot.AlignedData>(
    () => [rows.map(({ startUnixMs }) => startUnixMs / 1000), rows.map(({ durationMs }) => durationMs)],
    [rows],
  );
  return (
    <>
      <TimeChart
        label={`${rows.length} conversations by start and duration. The view Conversations lists them.`}
        zone={zone}
        heightPx={HEIGHT_PX}
        data={data}
        series={SERIES}
        sinceSeconds={sinceSeconds}
        untilSeconds={untilSeconds}
        draw={(chart) => drawDots(chart, rows)}
        onMove={(chart, x, y) => setNear(nearestDot(chart, rows, x, y))}
        onClick={(chart, x, y) => {
          const row = nearestDot(chart, rows, x, y);
          if (row !== undefined) goTo({ ...address, view: 'conversations', conversationId: row.id, step: undefined });
        }}
        onSelect={(from, to) =>
          goTo({
            ...address,
            view: 'conversations',
            since: new Date(from * 1000).toISOString(),
            until: new Date(to * 1000).toISOString(),
          })
        }
      />
      <p class="chart-caption">
        {near === undefined ? (
          <span class="soft">
            ● completed ✕ failed ▲ interrupted or open. Click a dot to open it, drag to list a stretch.
          </span>
        ) : (
          <>
            <strong>{durationWords(near.durationMs)}</strong> {near.id}, {outcomeWords(near.outcome)},{' '}
            {shortTimeWords(near.startUnixMs, zone)}
          </>
        )}
      </p>
    </>
  );
}

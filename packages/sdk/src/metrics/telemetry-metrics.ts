import type { Meter } from '@opentelemetry/api';
import type { TelemetryReport } from '../tracing.ts';

/** What became of spans; the attribute says which part of the books a value is. */
export const TELEMETRY_SPANS_METRIC = 'conversation.telemetry.spans';
/** `finished`, `inherited`, `delivered`, `waiting` or `dropped`. */
export const TELEMETRY_STATE = 'conversation.telemetry.state';
/** Why spans were dropped; only where the state is `dropped`. */
export const TELEMETRY_REASON = 'conversation.telemetry.reason';

/** Sends the books with every collection of metrics. */
export function observeTelemetry(meter: Meter, report: () => TelemetryReport): void {
  meter
    .createObservableUpDownCounter(TELEMETRY_SPANS_METRIC, {
      description: 'Spans of this process, by what became of them',
      unit: '{span}',
    })
    .addCallback((observed) => {
      const { finishedSpans, inheritedSpans, deliveredSpans, waitingSpans, droppedSpans } = report();
      observed.observe(finishedSpans, { [TELEMETRY_STATE]: 'finished' });
      observed.observe(inheritedSpans, { [TELEMETRY_STATE]: 'inherited' });
      observed.observe(deliveredSpans, { [TELEMETRY_STATE]: 'delivered' });
      observed.observe(waitingSpans, { [TELEMETRY_STATE]: 'waiting' });
      for (const [reason, spans] of Object.entries(droppedSpans)) {
        observed.observe(spans, { [TELEMETRY_STATE]: 'dropped', [TELEMETRY_REASON]: reason });
      }
    });
}

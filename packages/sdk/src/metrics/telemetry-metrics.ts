import { METRIC, METRIC_ATTRIBUTE } from '@convotel/conventions';
import type { Meter } from '@opentelemetry/api';
import type { TelemetryReport } from '../tracing.ts';

/** Name of the meter under which convotel's own metrics are made (OpenTelemetry: instrumentation scope). */
export const METER_NAME = '@convotel/sdk';

/** Sends the books with every collection of metrics. */
export function observeTelemetry(meter: Meter, report: () => TelemetryReport): void {
  meter
    .createObservableUpDownCounter(METRIC.telemetrySpans, {
      description: 'Spans of this process, by what became of them',
      unit: '{span}',
    })
    .addCallback((observed) => {
      const { finishedSpans, inheritedSpans, deliveredSpans, waitingSpans, droppedSpans } = report();
      observed.observe(finishedSpans, { [METRIC_ATTRIBUTE.telemetryState]: 'finished' });
      observed.observe(inheritedSpans, { [METRIC_ATTRIBUTE.telemetryState]: 'inherited' });
      observed.observe(deliveredSpans, { [METRIC_ATTRIBUTE.telemetryState]: 'delivered' });
      observed.observe(waitingSpans, { [METRIC_ATTRIBUTE.telemetryState]: 'waiting' });
      const dropped = Object.entries(droppedSpans);
      // A panel shows that there is nothing, not that nobody knows.
      if (dropped.length === 0) observed.observe(0, { [METRIC_ATTRIBUTE.telemetryState]: 'dropped' });
      for (const [reason, spans] of dropped) {
        observed.observe(spans, {
          [METRIC_ATTRIBUTE.telemetryState]: 'dropped',
          [METRIC_ATTRIBUTE.telemetryReason]: reason,
        });
      }
    });
}

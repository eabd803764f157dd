import { emptyReport } from '../tracing.ts';
import type { DeliveryReport, Tracing } from '../tracing.ts';

/** The setup of a program whose environment wants none. */
export function disabledTracing(): Tracing {
  const settled = async (): Promise<DeliveryReport> => ({ deliveredSpans: 0, undeliveredSpans: 0 });
  return {
    kind: 'disabled',
    flush: settled,
    shutdown: settled,
    report: emptyReport,
    [Symbol.asyncDispose]: async () => {},
  };
}

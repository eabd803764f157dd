import { NO_DELIVERY } from '../delivery/delivery.ts';
import type { Tracing } from '../tracing.ts';

/** The setup of a program whose environment wants none. */
export function disabledTracing(): Tracing {
  const report = async () => NO_DELIVERY.report();
  return { kind: 'disabled', flush: report, shutdown: report };
}

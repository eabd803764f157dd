import { ProxyTracerProvider, trace } from '@opentelemetry/api';
import type { Tracer, TracerProvider } from '@opentelemetry/api';
import { VERSION } from '../version.ts';
import { reportTrouble } from './report-trouble.ts';

/** Name under which the spans of this package are made (OpenTelemetry: instrumentation scope). */
const TRACER_NAME = '@convotel/tracing';

/** The tracer of `provider`, or of the registered one; one that does nothing when the provider throws. */
export function safeTracer(provider: TracerProvider | undefined): Tracer {
  try {
    return (provider ?? trace).getTracer(TRACER_NAME, VERSION);
  } catch (error) {
    reportTrouble('asking the provider for a tracer', error);
    return new ProxyTracerProvider().getTracer(TRACER_NAME, VERSION);
  }
}

import { HttpTransport } from '../delivery/http-transport.ts';
import { otlpTarget } from '../delivery/otlp-target.ts';
import { displayUrl, describeFailure } from '../delivery/failures.ts';
import { readEnvironment } from '../settings/environment.ts';
import { clearTimer, setHoldingTimer } from '../settings/timers.ts';
import { defaultJournalFolder } from './span-delivery.ts';

/** The effect of calling `startTracing()` without options in a given environment. */
export interface ProgramEnvironment {
  /** One warning for each invalid variable: what is used instead, and what to write. */
  warnings: readonly string[];
  /** The variable that disables sending spans; undefined if they are sent. */
  offBy: 'OTEL_SDK_DISABLED' | 'OTEL_TRACES_EXPORTER' | undefined;
  /** Where spans are sent; undefined if they are not sent or the address is invalid. */
  tracesUrl: string | undefined;
  /** The variable that sets the address; undefined for the default. */
  endpointVariable: string | undefined;
  /** Folder of the journals; undefined if the environment disables them. */
  journalFolder: string | undefined;
  /**
   * Sends an empty request in the same way as spans are sent. Resolves to undefined if it is accepted, else to a short
   * reason.
   */
  trySending(timeoutMs: number): Promise<string | undefined>;
}

const ENDPOINT_VARIABLES = [
  'OTEL_EXPORTER_OTLP_TRACES_ENDPOINT',
  'OTEL_EXPORTER_OTLP_ENDPOINT',
  'OTEL_EXPORTER_OTLP_METRICS_ENDPOINT',
];

/** Interprets `variables` in the same way as `startTracing()` does. */
export function inspectEnvironment(variables: Readonly<Record<string, string | undefined>>): ProgramEnvironment {
  const environment = readEnvironment(variables);
  const offBy = environment.isDisabled
    ? 'OTEL_SDK_DISABLED'
    : environment.exportsTraces
      ? undefined
      : 'OTEL_TRACES_EXPORTER';
  const target = otlpTarget('TRACES', {}, environment.variables);
  const sent = offBy === undefined ? target : undefined;
  return {
    warnings: [...new Set(environment.variables.warnings)],
    offBy,
    tracesUrl: sent && displayUrl(sent.url),
    endpointVariable: environment.variables.firstOf(ENDPOINT_VARIABLES)?.name,
    journalFolder: environment.isJournalOff ? undefined : defaultJournalFolder(environment.stateFolder),
    trySending: async (timeoutMs) => {
      if (sent === undefined) return 'nothing is sent';
      const transport = new HttpTransport(sent, 'application/json');
      // Keeps the process alive until the response arrives, because the transport does not.
      const hold = setHoldingTimer(() => undefined, timeoutMs * 2);
      try {
        const answer = await transport.send(Buffer.from('{"resourceSpans":[]}'), timeoutMs);
        return answer.status === 'success' ? undefined : describeFailure('error' in answer ? answer.error : undefined);
      } finally {
        clearTimer(hold);
        transport.shutdown();
      }
    },
  };
}

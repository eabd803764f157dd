import { HttpTransport } from '../delivery/http-transport.ts';
import { otlpTarget } from '../delivery/otlp-target.ts';
import { addressForPeople, describeFailure } from '../delivery/failures.ts';
import { readEnvironment } from '../settings/environment.ts';
import { clearTimer, setHoldingTimer } from '../settings/timers.ts';
import { defaultJournalFolder } from './span-delivery.ts';

/** What a program would do that calls `startTracing()` without options in some environment. */
export interface ProgramEnvironment {
  /** A sentence for each variable that cannot be used as it is: what is used instead, and what to write. */
  warnings: readonly string[];
  /** The variable that prevents spans from being sent; undefined when they are sent. */
  offBy: 'OTEL_SDK_DISABLED' | 'OTEL_TRACES_EXPORTER' | undefined;
  /** Where spans are sent; undefined when they are not, or the address is invalid. */
  tracesUrl: string | undefined;
  /** The variable that sets the address; undefined for the default. */
  endpointVariable: string | undefined;
  /** Where journals are; undefined when the environment turns them off. */
  journalFolder: string | undefined;
  /**
   * Sends a request without spans, in the way a program sends its spans. Resolves to undefined when it was accepted,
   * else to the reason in a few words.
   */
  trySending(timeoutMs: number): Promise<string | undefined>;
}

const ENDPOINT_VARIABLES = [
  'OTEL_EXPORTER_OTLP_TRACES_ENDPOINT',
  'OTEL_EXPORTER_OTLP_ENDPOINT',
  'OTEL_EXPORTER_OTLP_METRICS_ENDPOINT',
];

/** Interprets `variables` as `startTracing()` interprets those of its process. */
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
    tracesUrl: sent && addressForPeople(sent.url),
    endpointVariable: environment.variables.firstOf(ENDPOINT_VARIABLES)?.name,
    journalFolder: environment.isJournalOff ? undefined : defaultJournalFolder(environment.stateFolder),
    trySending: async (timeoutMs) => {
      if (sent === undefined) return 'nothing is sent';
      const transport = new HttpTransport(sent, 'application/json');
      // The transport does not keep the process alive, so this timer does until the answer is there.
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

import type { Agent as HttpAgent } from 'node:http';
import type { Agent as HttpsAgent } from 'node:https';
import { convertLegacyHttpOptions } from '@opentelemetry/otlp-exporter-base/node-http';

/** How one signal is sent, after options, environment and defaults. */
export interface OtlpSettings {
  url: string;
  timeoutMs: number;
}

/** Makes the connections of one exporter and can cut them, which the exporter itself cannot. */
export class Connections {
  readonly settings: OtlpSettings;
  readonly #agents = new Set<HttpAgent | HttpsAgent>();
  readonly #createAgent: (protocol: string) => HttpAgent | HttpsAgent | Promise<HttpAgent | HttpsAgent>;
  #isCut = false;

  /** Certificates, timeouts and addresses come from `OTEL_EXPORTER_OTLP_*`, as the exporter would read them; `url` wins. */
  constructor(signal: 'TRACES' | 'METRICS', path: string, url: string | undefined) {
    const resolved = convertLegacyHttpOptions(url === undefined ? {} : { url }, signal, path, {});
    this.settings = { url: resolved.url, timeoutMs: resolved.timeoutMillis };
    this.#createAgent = resolved.agentFactory;
  }

  /** For the exporter's `httpAgentOptions`. */
  readonly agentFactory = async (protocol: string): Promise<HttpAgent | HttpsAgent> => {
    const agent = await this.#createAgent(protocol);
    this.#agents.add(agent);
    if (this.#isCut) refuseConnections(agent);
    return agent;
  };

  /** Closes every connection, and lets none be opened again: a retry would hold the process. */
  cut(): void {
    if (this.#isCut) return;
    this.#isCut = true;
    for (const agent of this.#agents) {
      refuseConnections(agent);
      agent.destroy();
    }
  }
}

function refuseConnections(agent: HttpAgent | HttpsAgent): void {
  Object.defineProperty(agent, 'createConnection', {
    value: () => {
      throw new Error('tracing was stopped');
    },
  });
}

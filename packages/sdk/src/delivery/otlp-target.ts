import { readFileSync } from 'node:fs';
import type { Agent as HttpAgent } from 'node:http';
import type { Agent as HttpsAgent } from 'node:https';
import type { Encoding } from '../encoding/span-encoder.ts';
import { displayUrl } from './failures.ts';
import { proxyFor } from './proxy.ts';
import type { VariableReader } from '../settings/variables.ts';

/** Where and how one signal is sent. */
export interface OtlpTarget {
  url: URL;
  headers: Readonly<Record<string, string>>;
  encoding: Encoding;
  compression: 'gzip' | 'none';
  /** Deadline of one request, in milliseconds. */
  timeoutMs: number;
  tls: { ca?: Buffer; cert?: Buffer; key?: Buffer };
  proxy?: URL | undefined;
  agent?: HttpAgent | HttpsAgent | undefined;
  /** The address was derived from the endpoint of the other signal, and may not accept this one. */
  isGuess: boolean;
}

/** Options of a program that affect how signals are sent. */
export interface OtlpOptions {
  endpoint?: string | undefined;
  headers?: Readonly<Record<string, string>> | undefined;
  agent?: HttpAgent | HttpsAgent | undefined;
}

type Signal = 'TRACES' | 'METRICS';

const PATHS = { TRACES: 'v1/traces', METRICS: 'v1/metrics' } as const;
const DEFAULT_ENDPOINT = 'http://localhost:4318';
const DEFAULT_TIMEOUT_MS = 10_000;
const GRPC_PORT = '4317';
const SIGNAL_PATHS = /(?:\/v1\/(?:traces|metrics|logs))+\/?$/;
const REPEATED_PATH = /(?:\/v1\/(?:traces|metrics|logs)){2,}\/?$/;
const PROTOCOLS = { 'http/json': 'json', 'http/protobuf': 'protobuf' } as const;

/**
 * Resolves options, environment variables and defaults for `signal` (OpenTelemetry specification, OTLP Exporter
 * Configuration). Undefined if the endpoint is invalid: there is no fallback to another one.
 */
export function otlpTarget(signal: Signal, options: OtlpOptions, variables: VariableReader): OtlpTarget | undefined {
  const endpoint = endpointOf(signal, options, variables);
  if (endpoint === undefined) return undefined;
  const names = (what: string): string[] => [`OTEL_EXPORTER_OTLP_${signal}_${what}`, `OTEL_EXPORTER_OTLP_${what}`];
  return {
    ...endpoint,
    headers: { ...headersOf(names('HEADERS'), variables), ...usableHeaders(options.headers, variables) },
    encoding: variables.choice(names('PROTOCOL'), PROTOCOLS, 'json'),
    compression: variables.choice(names('COMPRESSION'), { gzip: 'gzip', none: 'none' }, 'none'),
    timeoutMs: variables.number(names('TIMEOUT'), DEFAULT_TIMEOUT_MS, 1, ' ms'),
    tls: {
      ...fileOf('ca', names('CERTIFICATE'), "the system's certificates are used", variables),
      ...fileOf('cert', names('CLIENT_CERTIFICATE'), 'none is sent', variables),
      ...fileOf('key', names('CLIENT_KEY'), 'none is used', variables),
    },
    agent: options.agent,
    // No proxy for the default endpoint, which is on this machine, nor with the program's own agent.
    proxy: endpoint.isDefault || options.agent !== undefined ? undefined : proxyFor(endpoint.url, variables),
  };
}

interface Endpoint {
  url: URL;
  isGuess: boolean;
  isDefault: boolean;
}

function endpointOf(signal: Signal, { endpoint }: OtlpOptions, variables: VariableReader): Endpoint | undefined {
  const certain = { isGuess: false, isDefault: false };
  if (endpoint !== undefined) return { url: withPath(new URL(endpoint), signal), ...certain };
  const ownName = `OTEL_EXPORTER_OTLP_${signal}_ENDPOINT`;
  const own = addressFrom(ownName, variables);
  if (own instanceof URL && REPEATED_PATH.test(own.pathname)) {
    variables.warnings.push(
      `${ownName} is ${JSON.stringify(displayUrl(own))}, which contains the path of a signal twice; it is used ` +
        `as it is. The usual address is ${displayUrl(withPath(own, signal))}.`,
    );
  }
  if (own !== 'unset') return own === undefined ? undefined : { url: own, ...certain };
  const common = addressFrom('OTEL_EXPORTER_OTLP_ENDPOINT', variables);
  if (common !== 'unset')
    return common === undefined ? undefined : { url: signalUrl(common, signal, variables), ...certain };
  const other = addressFrom(`OTEL_EXPORTER_OTLP_${signal === 'TRACES' ? 'METRICS' : 'TRACES'}_ENDPOINT`, variables);
  if (other !== 'unset') {
    return other === undefined ? undefined : { url: withPath(other, signal), isGuess: true, isDefault: false };
  }
  return { url: withPath(new URL(DEFAULT_ENDPOINT), signal), isGuess: false, isDefault: true };
}

/** The address in a variable; undefined if it is invalid. */
function addressFrom(name: string, variables: VariableReader): URL | undefined | 'unset' {
  const value = variables.text(name);
  if (value === undefined) return 'unset';
  const shown = withoutSecrets(value);
  if (!URL.canParse(value) || !/^https?:$/.test(new URL(value).protocol)) {
    const host = shown.replace(/^[\w.+-]*:?\/\//, '');
    const advice = /^[\w.-]+(:\d+)?(\/.*)?$/.test(host) ? `http://${host}` : 'http://collector:4318';
    variables.warnInvalid({ name, value: shown }, 'nothing is sent', `Write the scheme too, for example ${advice}.`);
    return undefined;
  }
  const url = new URL(value);
  if (variables.isQuoted(name)) {
    variables.warnings.push(`${name} is in quotes; ${displayUrl(url)} is used without them. Write it without quotes.`);
  }
  if (url.port === GRPC_PORT) {
    variables.warnings.push(
      `${name} is ${JSON.stringify(shown)}, but ${GRPC_PORT} is the usual port of OTLP/gRPC and convotel sends OTLP/HTTP; ` +
        'it is used as it is. OTLP/HTTP usually listens on 4318.',
    );
  }
  return url;
}

/** Appends the signal's path to the common endpoint, after removing a signal's path that was set by mistake. */
function signalUrl(base: URL, signal: Signal, variables: VariableReader): URL {
  const url = withPath(base, signal);
  const name = 'OTEL_EXPORTER_OTLP_ENDPOINT';
  if (/\/v1\/(traces|metrics|logs)\/?$/.test(base.pathname)) {
    variables.warnings.push(
      `${name} is ${JSON.stringify(displayUrl(base))}, but the path of each signal is appended to it; ` +
        `${displayUrl(url)} is used. Write it without /v1/…, or use OTEL_EXPORTER_OTLP_${signal}_ENDPOINT.`,
    );
  }
  if (base.search !== '') {
    variables.warnings.push(
      `${name} has a query string, which is kept after the path: ${displayUrl(url)}?…. ` +
        'To send a key, use OTEL_EXPORTER_OTLP_HEADERS instead.',
    );
  }
  return url;
}

function withPath(base: URL, signal: Signal): URL {
  const url = new URL(base);
  url.pathname = `${base.pathname.replace(SIGNAL_PATHS, '').replace(/\/+$/, '')}/${PATHS[signal]}`;
  return url;
}

/** Like {@link displayUrl}, also for an invalid address. */
function withoutSecrets(address: string): string {
  return address.replace(/\/\/[^/@]*@/, '//').replace(/\?.*$/s, '');
}

const HEADER_NAME = /^[\w!#$%&'*+.^`|~-]+$/;

/** `key=value,key2=value2`, percent-encoded (W3C Baggage). Values are never shown: they are keys and tokens. */
function headersOf(names: readonly string[], variables: VariableReader): Record<string, string> {
  const headers: Record<string, string> = {};
  for (const name of names.toReversed()) {
    for (const pair of (variables.text(name) ?? '').split(',')) {
      if (pair.trim() === '') continue;
      const separator = pair.indexOf('=');
      const key = pair.slice(0, Math.max(separator, 0)).trim();
      const value = decoded(pair.slice(separator + 1).trim());
      if (separator > 0 && HEADER_NAME.test(key) && value !== undefined && isHeaderValue(value)) {
        headers[key.toLowerCase()] = value;
      } else {
        variables.warnings.push(
          `${name} holds an entry that is not a header${key === '' ? '' : ` (${JSON.stringify(key)})`}; it is left out. ` +
            'Write name=value, separated by commas, with special characters percent-encoded.',
        );
      }
    }
  }
  return headers;
}

/** Leaves out invalid entries of the option `headers`, with a warning. */
function usableHeaders(
  given: Readonly<Record<string, unknown>> | undefined,
  variables: VariableReader,
): Record<string, string> {
  const headers: Record<string, string> = {};
  for (const [name, value] of Object.entries(given ?? {})) {
    if (
      HEADER_NAME.test(name) &&
      (typeof value === 'string' || typeof value === 'number') &&
      isHeaderValue(String(value))
    ) {
      headers[name.toLowerCase()] = String(value);
    } else {
      variables.warnings.push(
        `the option headers holds an entry that is not a header (${JSON.stringify(name)}); it is left out. ` +
          'Write names and texts without line breaks.',
      );
    }
  }
  return headers;
}

function isHeaderValue(value: string): boolean {
  return /^[\t\x20-\x7e\x80-\xff]*$/.test(value);
}

function decoded(value: string): string | undefined {
  try {
    return decodeURIComponent(value);
  } catch {
    return undefined;
  }
}

function fileOf<Key extends 'ca' | 'cert' | 'key'>(
  key: Key,
  names: readonly string[],
  instead: string,
  variables: VariableReader,
): Partial<Record<Key, Buffer>> {
  const found = variables.firstOf(names);
  if (found === undefined) return {};
  try {
    const bytes = readFileSync(found.value);
    // Node.js would treat any other file as empty and later report the server's certificate as invalid.
    if (bytes.includes('-----BEGIN ')) return { [key]: bytes } as Partial<Record<Key, Buffer>>;
    variables.warnInvalid(found, `${instead}, because the file is not in PEM form`, 'Name a file in PEM form.');
    return {};
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    variables.warnInvalid(found, `${instead}, because the file cannot be read (${code})`, 'Name a file in PEM form.');
    return {};
  }
}

import { randomUUID } from 'node:crypto';
import { ATTRIBUTE, CAPTURE_CONTENT_VARIABLE } from '@convotel/conventions';
import { DiagLogLevel } from '@opentelemetry/api';
import type { Attributes } from '@opentelemetry/api';
import { defaultResource, resourceFromAttributes } from '@opentelemetry/resources';
import type { Resource } from '@opentelemetry/resources';
import type { CaptureContent, TracingOptions } from './tracing-options.ts';
import { VariableReader } from './variables.ts';

/** Settings from environment variables that the OpenTelemetry SDK does not read itself. */
export interface Environment {
  isDisabled: boolean;
  exportsTraces: boolean;
  exportsMetrics: boolean;
  /** The ratio of a trace-id-ratio sampler; undefined for any other sampler. */
  samplingRatio: number | undefined;
  captureContent: CaptureContent | undefined;
  serviceName: string | undefined;
  resourceAttributes: Readonly<Record<string, string>>;
  isJournalOff: boolean;
  stateFolder: string | undefined;
  logLevel: DiagLogLevel | undefined;
  scheduleDelayMs: number;
  /** Maximum number of spans in one request. */
  maxBatchSpans: number;
  /** Maximum number of waiting spans without a journal; their bytes are limited too. */
  maxQueueSpans: number;
  metricExportIntervalMs: number;
  metricExportTimeoutMs: number;
  temporality: 'cumulative' | 'delta' | 'lowmemory';
  variables: VariableReader;
}

const DEFAULT_METRIC_EXPORT_INTERVAL_MS = 60_000;
const DEFAULT_METRIC_EXPORT_TIMEOUT_MS = 30_000;
const DEFAULT_SCHEDULE_DELAY_MS = 1000;
const DEFAULT_MAX_BATCH_SPANS = 512;
const ON_OFF = { on: 'on', true: 'on', '1': 'on', off: 'off', false: 'off', '0': 'off' } as const;

const LOG_LEVELS: Readonly<Record<string, DiagLogLevel>> = {
  none: DiagLogLevel.NONE,
  error: DiagLogLevel.ERROR,
  warn: DiagLogLevel.WARN,
  info: DiagLogLevel.INFO,
  debug: DiagLogLevel.DEBUG,
  verbose: DiagLogLevel.VERBOSE,
  all: DiagLogLevel.ALL,
};

/** Values of the content variable: booleans, convotel's own, and those of OpenTelemetry's GenAI instrumentations. */
const CONTENT: Readonly<Record<string, CaptureContent>> = {
  true: 'full',
  full: 'full',
  truncated: 'truncated',
  none: 'none',
  false: 'none',
  no_content: 'none',
  span_only: 'full',
  span_and_event: 'full',
  event_only: 'none',
};

const SAMPLERS = [
  'always_on',
  'always_off',
  'traceidratio',
  'parentbased_always_on',
  'parentbased_always_off',
  'parentbased_traceidratio',
];

/** Limits that the OpenTelemetry SDK reads itself, and silently ignores if they are not numbers. */
const LIMITS = [
  'OTEL_ATTRIBUTE_VALUE_LENGTH_LIMIT',
  'OTEL_ATTRIBUTE_COUNT_LIMIT',
  'OTEL_SPAN_ATTRIBUTE_VALUE_LENGTH_LIMIT',
  'OTEL_SPAN_ATTRIBUTE_COUNT_LIMIT',
  'OTEL_SPAN_EVENT_COUNT_LIMIT',
  'OTEL_SPAN_LINK_COUNT_LIMIT',
  'OTEL_EVENT_ATTRIBUTE_COUNT_LIMIT',
  'OTEL_LINK_ATTRIBUTE_COUNT_LIMIT',
];

/** Reads the environment (OpenTelemetry specification, Environment Variable Specification). */
export function readEnvironment(environment: Readonly<Record<string, string | undefined>> = process.env): Environment {
  const variables = new VariableReader(environment);
  const interval = variables.number(['OTEL_METRIC_EXPORT_INTERVAL'], DEFAULT_METRIC_EXPORT_INTERVAL_MS, 1, ' ms');
  const timeout = variables.number(['OTEL_METRIC_EXPORT_TIMEOUT'], DEFAULT_METRIC_EXPORT_TIMEOUT_MS, 1, ' ms');
  checkWhatOthersRead(variables);
  return {
    isDisabled: variables.boolean('OTEL_SDK_DISABLED', false),
    exportsTraces: exportsByOtlp('OTEL_TRACES_EXPORTER', variables),
    exportsMetrics: exportsByOtlp('OTEL_METRICS_EXPORTER', variables),
    samplingRatio: ratioOfSampler(variables),
    captureContent: contentOf(variables),
    serviceName: variables.text('OTEL_SERVICE_NAME'),
    resourceAttributes: resourceAttributesOf(variables),
    isJournalOff: variables.choice(['CONVOTEL_JOURNAL'], ON_OFF, 'on') === 'off',
    stateFolder: variables.text('XDG_STATE_HOME'),
    logLevel: logLevelOf(variables),
    scheduleDelayMs: variables.number(['OTEL_BSP_SCHEDULE_DELAY'], DEFAULT_SCHEDULE_DELAY_MS, 0, ' ms'),
    maxBatchSpans: variables.number(['OTEL_BSP_MAX_EXPORT_BATCH_SIZE'], DEFAULT_MAX_BATCH_SPANS, 1),
    maxQueueSpans: variables.number(['OTEL_BSP_MAX_QUEUE_SIZE'], Infinity, 1),
    metricExportIntervalMs: interval,
    // The metric reader rejects a timeout that exceeds its interval.
    metricExportTimeoutMs: Math.min(timeout, interval),
    temporality: variables.choice(
      ['OTEL_EXPORTER_OTLP_METRICS_TEMPORALITY_PREFERENCE'],
      { cumulative: 'cumulative', delta: 'delta', lowmemory: 'lowmemory' },
      'cumulative',
    ),
    variables,
  };
}

function exportsByOtlp(name: string, variables: VariableReader): boolean {
  const value = variables.text(name);
  const exporters = (value ?? '')
    .toLowerCase()
    .split(',')
    .map((each) => each.trim())
    .filter((each) => each !== '');
  if (exporters.length === 0 || exporters.includes('otlp')) return true;
  if (exporters.includes('none')) return false;
  variables.warnInvalid({ name, value: value! }, 'otlp is used', 'Write otlp or none.');
  return true;
}

function ratioOfSampler(variables: VariableReader): number | undefined {
  const name = 'OTEL_TRACES_SAMPLER';
  const sampler = variables.text(name);
  if (sampler !== undefined && !SAMPLERS.includes(sampler.toLowerCase())) {
    variables.warnInvalid(
      { name, value: sampler },
      'every conversation is kept',
      `Write one of ${SAMPLERS.join(', ')}.`,
    );
    return undefined;
  }
  const argument = 'OTEL_TRACES_SAMPLER_ARG';
  const value = variables.text(argument);
  if (!sampler?.toLowerCase().endsWith('traceidratio')) {
    if (value !== undefined) {
      const advice = 'Set OTEL_TRACES_SAMPLER to parentbased_traceidratio too, or neither.';
      variables.warnInvalid({ name: argument, value }, 'no sampler is set that takes it, so it is ignored', advice);
    }
    return undefined;
  }
  const ratio = value === undefined ? 1 : Number(value);
  if (ratio >= 0 && ratio <= 1) return ratio;
  const percent = /^(\d+(?:\.\d+)?)\s*%$/.exec(value ?? '');
  const advice = percent === null ? '0.5 for half of them' : `${Number(percent[1]) / 100}`;
  variables.warnInvalid(
    { name: argument, value: value! },
    'every conversation is kept',
    `Write a number from 0 to 1: ${advice}.`,
  );
  return 1;
}

function contentOf(variables: VariableReader): CaptureContent | undefined {
  const value = variables.text(CAPTURE_CONTENT_VARIABLE);
  return value === undefined ? undefined : variables.choice([CAPTURE_CONTENT_VARIABLE], CONTENT, 'none');
}

function logLevelOf(variables: VariableReader): DiagLogLevel | undefined {
  const name = 'OTEL_LOG_LEVEL';
  const value = variables.text(name);
  if (value === undefined) return undefined;
  const level = LOG_LEVELS[value.toLowerCase()];
  if (level !== undefined) return level;
  variables.warnInvalid({ name, value }, 'nothing is logged', `Write one of ${Object.keys(LOG_LEVELS).join(', ')}.`);
  return undefined;
}

function checkWhatOthersRead(variables: VariableReader): void {
  for (const name of LIMITS) variables.number([name], 128, 0);
  const known = ['tracecontext', 'baggage', 'none'];
  for (const propagator of (variables.text('OTEL_PROPAGATORS') ?? '').toLowerCase().split(',')) {
    if (propagator.trim() === '' || known.includes(propagator.trim())) continue;
    variables.warnInvalid(
      { name: 'OTEL_PROPAGATORS', value: propagator.trim() },
      'it is left out',
      `Write ${known.join(', ')}.`,
    );
  }
}

/** The valid entries of `OTEL_RESOURCE_ATTRIBUTES`; each invalid one is skipped with a warning. */
function resourceAttributesOf(variables: VariableReader): Record<string, string> {
  const name = 'OTEL_RESOURCE_ATTRIBUTES';
  const attributes: Record<string, string> = {};
  for (const pair of (variables.text(name) ?? '').split(',')) {
    if (pair.trim() === '') continue;
    const separator = pair.indexOf('=');
    const [key, value] = [pair.slice(0, Math.max(separator, 0)), pair.slice(separator + 1)].map(decoded);
    if (key !== undefined && key !== '' && value !== undefined) {
      attributes[key] = value;
      continue;
    }
    const advice = 'Write key=value, separated by commas, with special characters percent-encoded.';
    variables.warnInvalid({ name, value: pair.trim() }, 'the entry is left out', advice);
  }
  return attributes;
}

function decoded(text: string): string | undefined {
  try {
    return decodeURIComponent(text.trim());
  } catch {
    // Invalid percent-encoding; the caller warns.
    return undefined;
  }
}

/** The resource of spans and metrics; options override `OTEL_SERVICE_NAME` and `OTEL_RESOURCE_ATTRIBUTES`. */
export function buildResource(
  options: TracingOptions,
  environment: Environment,
  samplingRatio: number | undefined,
): Resource {
  const own: Attributes = { ...options.resourceAttributes };
  if (options.serviceName !== undefined) own[ATTRIBUTE.serviceName] = options.serviceName;
  if (samplingRatio !== undefined) own[ATTRIBUTE.samplingRatio] = samplingRatio;
  const named: Attributes = { ...environment.resourceAttributes };
  if (environment.serviceName !== undefined) named[ATTRIBUTE.serviceName] = environment.serviceName;
  return defaultResource()
    .merge(resourceFromAttributes({ [ATTRIBUTE.serviceInstanceId]: randomUUID() }))
    .merge(resourceFromAttributes(named))
    .merge(resourceFromAttributes(own));
}

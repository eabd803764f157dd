import { getBooleanFromEnv, getNumberFromEnv, getStringFromEnv, getStringListFromEnv } from '@opentelemetry/core';

/** What the environment says, as far as the parts of OpenTelemetry do not read it themselves. */
export interface Environment {
  isDisabled: boolean;
  exportsTraces: boolean;
  exportsMetrics: boolean;
  /** Share of traces kept by a ratio sampler; undefined for every other sampler. */
  samplingRatio: number | undefined;
  metricExportIntervalMs: number;
  metricExportTimeoutMs: number;
  /** What was said but cannot be done, for people. */
  warnings: string[];
}

const DEFAULT_METRIC_EXPORT_INTERVAL_MS = 60_000;
const DEFAULT_METRIC_EXPORT_TIMEOUT_MS = 30_000;

/** Reads `OTEL_*` variables (OpenTelemetry specification, Environment Variable Specification). */
export function readEnvironment(): Environment {
  const warnings: string[] = [];
  const interval = positive(getNumberFromEnv('OTEL_METRIC_EXPORT_INTERVAL')) ?? DEFAULT_METRIC_EXPORT_INTERVAL_MS;
  const timeout = positive(getNumberFromEnv('OTEL_METRIC_EXPORT_TIMEOUT')) ?? DEFAULT_METRIC_EXPORT_TIMEOUT_MS;
  return {
    isDisabled: getBooleanFromEnv('OTEL_SDK_DISABLED'),
    exportsTraces: exportsByOtlp('OTEL_TRACES_EXPORTER', warnings),
    exportsMetrics: exportsByOtlp('OTEL_METRICS_EXPORTER', warnings),
    samplingRatio: ratioOfSampler(),
    metricExportIntervalMs: interval,
    // The reader refuses a timeout above its interval.
    metricExportTimeoutMs: Math.min(timeout, interval),
    warnings,
  };
}

function positive(value: number | undefined): number | undefined {
  return value !== undefined && Number.isFinite(value) && value > 0 ? value : undefined;
}

function exportsByOtlp(variable: string, warnings: string[]): boolean {
  const exporters = getStringListFromEnv(variable) ?? [];
  if (exporters.length === 0 || exporters.includes('otlp')) return true;
  if (exporters.includes('none')) return false;
  warnings.push(`${variable} is ${exporters.join(',')}; only otlp and none are known here, so otlp is used`);
  return true;
}

function ratioOfSampler(): number | undefined {
  const sampler = getStringFromEnv('OTEL_TRACES_SAMPLER');
  if (sampler !== 'traceidratio' && sampler !== 'parentbased_traceidratio') return undefined;
  const ratio = getNumberFromEnv('OTEL_TRACES_SAMPLER_ARG') ?? 1;
  return ratio >= 0 && ratio <= 1 ? ratio : 1;
}

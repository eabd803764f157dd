import { randomUUID } from 'node:crypto';
import { ATTRIBUTE } from '@convotel/conventions';
import type { Attributes } from '@opentelemetry/api';
import { defaultResource, resourceFromAttributes } from '@opentelemetry/resources';
import type { Resource } from '@opentelemetry/resources';
import type { Environment } from './environment.ts';
import type { TracingOptions } from './tracing-options.ts';

/** Says which process spans and metrics come from; options win over `OTEL_SERVICE_NAME` and `OTEL_RESOURCE_ATTRIBUTES`. */
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

import { randomUUID } from 'node:crypto';
import { ATTRIBUTE } from '@convotel/conventions';
import type { Attributes } from '@opentelemetry/api';
import { defaultResource, detectResources, envDetector, resourceFromAttributes } from '@opentelemetry/resources';
import type { Resource } from '@opentelemetry/resources';
import type { TracingOptions } from './tracing-options.ts';

/** Says which process spans and metrics come from; options win over `OTEL_SERVICE_NAME` and `OTEL_RESOURCE_ATTRIBUTES`. */
export function buildResource(options: TracingOptions, samplingRatio: number | undefined): Resource {
  const own: Attributes = { ...options.resourceAttributes };
  if (options.serviceName !== undefined) own[ATTRIBUTE.serviceName] = options.serviceName;
  if (samplingRatio !== undefined) own[ATTRIBUTE.samplingRatio] = samplingRatio;
  return defaultResource()
    .merge(resourceFromAttributes({ [ATTRIBUTE.serviceInstanceId]: randomUUID() }))
    .merge(detectResources({ detectors: [envDetector] }))
    .merge(resourceFromAttributes(own));
}

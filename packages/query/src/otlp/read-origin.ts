import { ATTRIBUTE } from '@convotel/conventions';
import type { SpanRest } from '../model/span-record.ts';
import { numberOf, stringOf } from './attribute-values.ts';
import { type JsonObject, readArray, readObject, readString } from './json-fields.ts';

/** What all spans of one `ResourceSpans` share. */
export interface Resource {
  serviceName?: string;
  samplingRatio?: number;
  /** One array for all spans of the resource, so that stores can tell equal resources by identity. */
  otherAttributes: unknown[];
}

/** Reads an OTLP `Resource`; an absent one has no attributes. */
export function readResource(value: unknown): Resource {
  const resource: Resource = { otherAttributes: [] };
  if (value === undefined || value === null) return resource;
  const attributes = readArray(readObject(value, 'resource')['attributes'], 'resource.attributes');
  for (const [index, entry] of attributes.entries()) {
    const { key, value: attribute } = readObject(entry, `resource.attributes[${index}]`);
    const serviceName = key === ATTRIBUTE.serviceName ? stringOf(attribute) : undefined;
    const samplingRatio = key === ATTRIBUTE.samplingRatio ? numberOf(attribute) : undefined;
    if (serviceName !== undefined) resource.serviceName = serviceName;
    else if (samplingRatio !== undefined) resource.samplingRatio = samplingRatio;
    else resource.otherAttributes.push(entry);
  }
  return resource;
}

/** Reads the name and version of an OTLP `InstrumentationScope`; absent when it has neither. */
export function readScope(value: unknown): SpanRest['scope'] {
  if (value === undefined || value === null) return undefined;
  const scope: JsonObject = readObject(value, 'scope');
  const name = readString(scope['name'], 'scope.name');
  const version = readString(scope['version'], 'scope.version');
  if (name === '' && version === '') return undefined;
  return { ...(name !== '' && { name }), ...(version !== '' && { version }) };
}

import { ATTRIBUTE } from '@convotel/conventions';
import type { SpanRecord, SpanRest } from '../model/span-record.ts';
import { numberOf, OtlpFormatError, readArray, readObject, readString, stringOf } from './json-fields.ts';
import type { JsonObject } from './json-fields.ts';
import { readSpan } from './read-span.ts';
import type { Resource, SpanDetail } from './read-span.ts';

/**
 * Reads the spans of one `ExportTraceServiceRequest` that `JSON.parse` has read.
 *
 * Follows the OTLP specification's JSON mapping: ids in hex of either case, 64-bit integers as strings or numbers,
 * enums as numbers or names, null for what is absent, unknown fields skipped. Nesting is the caller's to limit.
 * @param detail `slim` leaves out texts and `rest`, which takes half the time. @defaultValue `whole`
 * @throws {@link OtlpFormatError} with the place and the reason; then no span of the request counts.
 */
export function decodeOtlpJson(request: unknown, detail: SpanDetail = 'whole'): SpanRecord[] {
  const spans: SpanRecord[] = [];
  const resourceGroups = readArray(readObject(request, 'the request')['resourceSpans'], 'resourceSpans');
  for (let resourceIndex = 0; resourceIndex < resourceGroups.length; resourceIndex++) {
    within(`resourceSpans[${resourceIndex}]`, () => readResourceSpans(resourceGroups[resourceIndex], detail, spans));
  }
  return spans;
}

function readResourceSpans(value: unknown, detail: SpanDetail, spans: SpanRecord[]): void {
  const group = readObject(value, 'it');
  const resource = readResource(group['resource']);
  const scopeGroups = readArray(group['scopeSpans'], 'scopeSpans');
  for (let scopeIndex = 0; scopeIndex < scopeGroups.length; scopeIndex++) {
    within(`scopeSpans[${scopeIndex}]`, () => {
      const scopeGroup = readObject(scopeGroups[scopeIndex], 'it');
      const scope = readScope(scopeGroup['scope']);
      const found = readArray(scopeGroup['spans'], 'spans');
      let spanIndex = 0;
      try {
        for (; spanIndex < found.length; spanIndex++) {
          spans.push(readSpan(readObject(found[spanIndex], 'it'), resource, scope, detail));
        }
      } catch (error) {
        throw placed(`spans[${spanIndex}]`, error);
      }
    });
  }
}

/** Runs `read`, and says in its error where in the request it happened. */
function within(place: string, read: () => void): void {
  try {
    read();
  } catch (error) {
    throw placed(place, error);
  }
}

function placed(place: string, error: unknown): unknown {
  if (!(error instanceof OtlpFormatError)) return error;
  const isPlaced = /^(scopeSpans|spans)\[/.test(error.message);
  return new OtlpFormatError(`${place}${isPlaced ? '.' : ': '}${error.message}`);
}

/** Reads an OTLP `Resource`; an absent one has no attributes. */
function readResource(value: unknown): Resource {
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
function readScope(value: unknown): SpanRest['scope'] {
  if (value === undefined || value === null) return undefined;
  const scope: JsonObject = readObject(value, 'scope');
  const name = readString(scope['name'], 'scope.name');
  const version = readString(scope['version'], 'scope.version');
  if (name === '' && version === '') return undefined;
  return { ...(name !== '' && { name }), ...(version !== '' && { version }) };
}

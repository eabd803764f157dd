import { createContextKey, diag, trace } from '@opentelemetry/api';
import type { Context } from '@opentelemetry/api';
import {
  AlwaysOffSampler,
  AlwaysOnSampler,
  ParentBasedSampler,
  TraceIdRatioBasedSampler,
} from '@opentelemetry/sdk-trace-node';
import type { Sampler } from '@opentelemetry/sdk-trace-node';
import { VariableReader } from '../settings/variables.ts';

/** Set by `@convotel/tracing` on a step whose conversation was joined by its id alone. */
const SAMPLE_AS_ROOT = createContextKey('convotel sample as root');

/**
 * Asks `inner`, and makes all processes agree on a conversation that is joined by its id alone: whether its root was
 * sampled is not known there, so `inner` decides by the trace id, as it did for the root.
 */
export class ConversationSampler implements Sampler {
  readonly #inner: Sampler;

  /** @param inner Default: what `OTEL_TRACES_SAMPLER` says. */
  constructor(inner: Sampler = samplerFromEnvironment()) {
    this.#inner = inner;
  }

  shouldSample(context: Context, ...rest: ShouldSampleRest): ReturnType<Sampler['shouldSample']> {
    const isRootUnknown = context.getValue(SAMPLE_AS_ROOT) === true;
    return this.#inner.shouldSample(isRootUnknown ? trace.deleteSpan(context) : context, ...rest);
  }

  toString(): string {
    return `ConversationSampler{${this.#inner.toString()}}`;
  }
}

type ShouldSampleRest = Parameters<Sampler['shouldSample']> extends [Context, ...infer Rest] ? Rest : never;

/** As the SDK reads it when it is given no sampler (OpenTelemetry specification, `OTEL_TRACES_SAMPLER`). */
function samplerFromEnvironment(): Sampler {
  const variables = new VariableReader(process.env);
  const name = variables.text('OTEL_TRACES_SAMPLER')?.toLowerCase() ?? 'parentbased_always_on';
  const root = rootSamplerOf(name.replace(/^parentbased_/, ''), variables);
  if (root === undefined) {
    diag.error(`convotel: OTEL_TRACES_SAMPLER "${name}" is unknown; every conversation is kept`);
    return new ParentBasedSampler({ root: new AlwaysOnSampler() });
  }
  return name.startsWith('parentbased_') ? new ParentBasedSampler({ root }) : root;
}

function rootSamplerOf(name: string, variables: VariableReader): Sampler | undefined {
  switch (name) {
    case 'always_on':
      return new AlwaysOnSampler();
    case 'always_off':
      return new AlwaysOffSampler();
    case 'traceidratio': {
      const ratio = Number(variables.text('OTEL_TRACES_SAMPLER_ARG') ?? 1);
      return new TraceIdRatioBasedSampler(ratio >= 0 && ratio <= 1 ? ratio : 1);
    }
    default:
      return undefined;
  }
}

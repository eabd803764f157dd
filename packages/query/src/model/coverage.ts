import { compareText } from './order.ts';

/** What an answer rests on. */
export interface Coverage {
  /** Conversations found among the spans read. */
  conversations: number;
  /** Spans read, copies once, also those that are no step. */
  spans: number;
  /** False whenever something was left unread; then `warnings` has the reason. */
  complete: boolean;
  warnings: string[];
}

/** The data of an answer, and what it rests on. */
export interface Answer<Data> {
  data: Data;
  coverage: Coverage;
}

/** `coverage` with one more warning. */
export function withWarning(coverage: Coverage, warning: string): Coverage {
  return { ...coverage, warnings: [...coverage.warnings, warning] };
}

/** What one program says about its sampling; both from the resource of its spans. */
export interface SampledProgram {
  serviceName?: string;
  /** Share of conversations kept; says nothing where it is absent or not below 1. */
  samplingRatio?: number;
}

/**
 * What coverage warns of when programs keep only a part of their conversations: one text for each program and ratio,
 * by name, then ratio. The same for every engine.
 */
export function samplingWarnings(programs: Iterable<SampledProgram>): string[] {
  const warned = new Map<string, { name: string; ratio: number }>();
  for (const { serviceName: name = '', samplingRatio: ratio } of programs) {
    if (ratio !== undefined && ratio >= 0 && ratio < 1) warned.set(`${ratio} ${name}`, { name, ratio });
  }
  return [...warned.values()]
    .sort((a, b) => compareText(a.name, b.name) || a.ratio - b.ratio)
    .map(({ name, ratio }) => {
      const program = name === '' ? 'A program without a name' : `The program "${name}"`;
      return `${program} keeps only a share of ${ratio} of its conversations: counts are of those kept, not of all.`;
    });
}

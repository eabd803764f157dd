import { compareText } from './compare-text.ts';

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

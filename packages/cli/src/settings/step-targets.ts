import { stepKindOf } from '@convotel/conventions';
import type { StepKind } from '@convotel/conventions';
import type { Finding } from '@convotel/query';
import { durationMs } from '../values/duration.ts';
import type { Settings } from './settings.ts';

/** How long a step took, on average or once. */
export interface TimedStep {
  step: string;
  averageMs?: number | undefined;
  durationMs?: number | undefined;
}

/**
 * `report` with a finding for each of `steps` that took longer than its target in `convotel.json`; of several calls of a
 * step in one conversation, the longest counts.
 */
export function withStepTargets<Answered extends { findings: Finding[] }>(
  report: Answered,
  steps: readonly TimedStep[],
  settings: Settings,
): Answered {
  const found = new Map<string, Finding>();
  const longestFirst = steps.toSorted((a, b) => (b.durationMs ?? 0) - (a.durationMs ?? 0));
  for (const { step, averageMs, durationMs: onceMs } of longestFirst) {
    const { target } = limitsOf(settings, step);
    const tookMs = averageMs ?? onceMs;
    if (target === undefined || tookMs === undefined || found.has(step)) continue;
    const targetMs = durationMs(target, 'target');
    if (tookMs <= targetMs) continue;
    const how = averageMs === undefined ? 'took' : 'takes';
    const tail = averageMs === undefined ? '' : ' on average';
    found.set(step, {
      rule: 'step-over-target',
      severity: 'warning',
      text: `${step} ${how} ${(tookMs / 1000).toFixed(2)}s${tail}, over its target of ${targetMs / 1000}s`,
      evidence: { step, ...(averageMs === undefined ? { durationMs: tookMs } : { averageMs }), targetMs },
    });
  }
  const inOrder = [...new Set(steps.map(({ step }) => step))].flatMap((step) => found.get(step) ?? []);
  return { ...report, findings: [...report.findings, ...inOrder] };
}

/** The target and threshold of a step: its own, else those of its kind. */
export function limitsOf(
  { steps = {}, kinds = {} }: Settings,
  step: string,
): { target?: string | undefined; threshold?: string | undefined } {
  const own = Object.hasOwn(steps, step) ? steps[step] : undefined;
  const kind: StepKind = own?.kind ?? stepKindOf(step);
  const ofKind = kinds[kind];
  return { target: own?.target ?? ofKind?.target, threshold: own?.threshold ?? ofKind?.threshold };
}

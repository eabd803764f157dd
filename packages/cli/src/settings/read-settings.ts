import { existsSync, readFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { stepKindOf } from '@convotel/conventions';
import type { StepKind } from '@convotel/conventions';
import type { Finding } from '@convotel/query';
import { UsageError } from '../terminal.ts';
import type { Terminal } from '../terminal.ts';
import type { Settings } from './settings.ts';
import { durationMs } from '../values.ts';

const FILE_NAME = 'convotel.json';

/** A settings file, and where its path comes from. */
export interface SettingsFile {
  path: string;
  namedBy: '--config' | 'CONVOTEL_CONFIG' | 'the working folder';
}

/** The settings file in effect, which may be unreadable; undefined if there is none. */
export function findSettingsFile(asked: string | undefined, terminal: Terminal): SettingsFile | undefined {
  const { environment, workingFolder } = terminal;
  if (asked !== undefined) return { path: asked, namedBy: '--config' };
  const named = environment['CONVOTEL_CONFIG'];
  if (named) return { path: named, namedBy: 'CONVOTEL_CONFIG' };
  const path = findAbove(workingFolder);
  return path === undefined ? undefined : { path, namedBy: 'the working folder' };
}

/**
 * Reads the settings from `--config`, else `CONVOTEL_CONFIG`, else the nearest `convotel.json` in the working folder or
 * above it; empty if there is no such file.
 * @throws {@link UsageError} with the file and the key in its message, if they are invalid or cannot be read.
 */
export async function readSettings(asked: string | undefined, terminal: Terminal): Promise<Settings> {
  const file = findSettingsFile(asked, terminal);
  if (file === undefined) return {};
  const { path } = file;
  const { SETTINGS, SettingsProblem } = await import('./settings.ts');
  try {
    const settings = SETTINGS.read(JSON.parse(readFileSync(path, 'utf8')), '');
    return settings.from === undefined ? settings : { ...settings, from: besideFile(settings.from, path) };
  } catch (error) {
    if (error instanceof SettingsProblem) throw new UsageError(`${path}: ${error.message}`, { cause: error });
    if (error instanceof SyntaxError) {
      throw new UsageError(`${path} is not valid JSON: ${error.message}`, { cause: error });
    }
    const reason = error instanceof Error ? error.message : String(error);
    throw new UsageError(
      `The settings cannot be read: ${reason}. ${asked === undefined ? 'CONVOTEL_CONFIG' : '--config'} names the file.`,
      {
        cause: error,
      },
    );
  }
}

function findAbove(folder: string | undefined): string | undefined {
  if (folder === undefined) return undefined;
  const path = join(folder, FILE_NAME);
  if (existsSync(path)) return path;
  const above = dirname(folder);
  return above === folder ? undefined : findAbove(above);
}

/** A relative path in the settings is relative to the settings file; addresses stay as they are. */
function besideFile(from: string, path: string): string {
  const isAddress = /^(?:https?|clickhouse|unix):/i.test(from) || /^[^/\\]+:\d{1,5}(?:\/.*)?$/.test(from);
  const isFile = from !== 'local' && !isAddress;
  return isFile ? resolve(dirname(path), from) : from;
}

/** The duration of a step: an average, or that of one call. */
export interface TimedStep {
  step: string;
  averageMs?: number | undefined;
  durationMs?: number | undefined;
}

/**
 * Adds a finding to `report` for each of `steps` that took longer than its target in `convotel.json`. If a step ran
 * several times in a conversation, the longest call counts. Such a conversation is no baseline for optimization.
 */
export async function withStepTargets<Answered extends { findings: Finding[] }>(
  report: Answered,
  steps: readonly TimedStep[],
  settings: Settings,
): Promise<Answered> {
  if (settings.steps === undefined && settings.kinds === undefined) return report;
  const { stepDisplayName } = await import('@convotel/query/engine');
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
      text: `${stepDisplayName(step, 'opening')} ${how} ${(tookMs / 1000).toFixed(2)}s${tail}, over its target of ${targetMs / 1000}s`,
      evidence: { step, ...(averageMs === undefined ? { durationMs: tookMs } : { averageMs }), targetMs },
    });
  }
  const inOrder = [...new Set(steps.map(({ step }) => step))].flatMap((step) => found.get(step) ?? []);
  const kept = found.size === 0 ? report.findings : report.findings.filter(({ rule }) => rule !== 'good-baseline');
  return { ...report, findings: [...kept, ...inOrder] };
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

import { readdir } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import type { FindingRule } from '../../src/findings/finding.ts';

const ANSWERS = new URL('../../src/answers/', import.meta.url);

type AnyRule = FindingRule<never>;

/** The rules of every command, as its answer exports them (`averagesRules`), and all rules that answers export. */
export async function readRules(): Promise<{ byCommand: Map<string, readonly AnyRule[]>; all: Set<AnyRule> }> {
  const byCommand = new Map<string, readonly AnyRule[]>();
  const all = new Set<AnyRule>();
  for (const file of await readdir(fileURLToPath(ANSWERS), { recursive: true })) {
    if (!file.endsWith('.ts')) continue;
    const module = (await import(new URL(file, ANSWERS).href)) as Record<string, unknown>;
    for (const [name, value] of Object.entries(module)) {
      if (isRule(value)) all.add(value);
      if (Array.isArray(value) && value.length > 0 && value.every(isRule)) {
        byCommand.set(kebabCase(name.replace(/Rules$/, '')), value);
      }
    }
  }
  return { byCommand, all };
}

function isRule(value: unknown): value is AnyRule {
  return typeof value === 'function' && 'ruleName' in value;
}

function kebabCase(name: string): string {
  return name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
}

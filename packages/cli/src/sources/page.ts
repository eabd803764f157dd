import { fileURLToPath } from 'node:url';
import type { StepKind } from '@convotel/conventions';
import type { PageSettings } from '@convotel/local';
import type { Settings } from '../settings/settings.ts';
import { durationMs } from '../values.ts';

/** The folder of the built page, next to the bundled command; when run from the sources, in the build output. */
export function pageFolder(): string {
  return fileURLToPath(new URL('../../dist/page', import.meta.url));
}

/** The settings of `convotel.json` that the page uses. */
export function pageSettings({ conversation, currency, prices, steps = {} }: Settings): PageSettings {
  const kinds = Object.entries(steps).flatMap(([step, { kind }]): [string, StepKind][] =>
    kind === undefined ? [] : [[step, kind]],
  );
  return {
    ...(conversation?.target !== undefined && { targetMs: durationMs(conversation.target, 'conversation.target') }),
    ...(currency !== undefined && { currency }),
    ...(prices !== undefined && { prices }),
    ...(kinds.length > 0 && { kinds: Object.fromEntries(kinds) }),
  };
}

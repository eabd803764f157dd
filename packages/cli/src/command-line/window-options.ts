import { option } from './options.ts';
import type { OptionValues } from './options.ts';
import { UsageError } from '../usage-error.ts';
import { text } from '../values/value-parsers.ts';

/** Options that choose a window; `since` is what holds unless told, as the user would write it. */
export function windowOptions(since: string) {
  return {
    since: option(text, {
      placeholder: 'time',
      description:
        'a duration back from --until (90s, 24h, 7d, 1h30m), today, yesterday, 2025-10-08, "2025-10-08 14:30" in --tz, or RFC 3339',
      defaultText: since,
    }),
    until: option(text, {
      placeholder: 'time',
      description: 'where the window ends, itself excluded',
      defaultText: 'now',
    }),
    hours: option(hours, { placeholder: 'n', description: 'the same as --since <n>h' }),
  };
}

/** What {@link windowOptions} were given; times are read when the zone and the present are known. */
export type WindowTexts = Partial<OptionValues<ReturnType<typeof windowOptions>>>;

function hours(value: string, flag: string): number {
  if (!/^\d{1,6}$/.test(value) || Number(value) === 0) {
    throw new UsageError(`${flag} takes a whole number above 0, got "${value}".`);
  }
  return Number(value);
}

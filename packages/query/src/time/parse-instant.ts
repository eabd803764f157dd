import { TimeError } from './time-error.ts';
import { NANO_PER_SECOND, utcMidnightSeconds } from './unix-seconds.ts';

const RFC_3339 = /^(\d{4}-\d{2}-\d{2})[Tt](\d{2}):(\d{2}):(\d{2})(?:\.(\d{1,9}))?(?:[Zz]|([+-])(\d{2}):(\d{2}))$/;

/**
 * Unix nanoseconds of an RFC 3339 time with an offset (section 5.6) and up to 9 decimals, such as
 * `2025-10-08T14:30:22.5+02:00`. Second 60 is refused: Unix time has no leap seconds.
 *
 * @throws {@link TimeError} `INSTANT_MALFORMED`
 */
export function parseInstant(text: string): bigint {
  const match = RFC_3339.exec(text);
  const [, date = '', hour, minute, second, fraction = '', sign, offsetHour = 0, offsetMinute = 0] = match ?? [];
  const midnight = utcMidnightSeconds(date);
  const isValid =
    match !== null &&
    midnight !== undefined &&
    Number(hour) < 24 &&
    Number(minute) < 60 &&
    Number(second) < 60 &&
    Number(offsetHour) < 24 &&
    Number(offsetMinute) < 60;
  if (!isValid) {
    throw new TimeError(
      'INSTANT_MALFORMED',
      `"${text}" is no time with an offset; write it like 2025-10-08T14:30:00Z or 2025-10-08T14:30:00.5+02:00`,
    );
  }
  const offsetSeconds = (Number(offsetHour) * 3600 + Number(offsetMinute) * 60) * (sign === '-' ? -1 : 1);
  const seconds = midnight + Number(hour) * 3600 + Number(minute) * 60 + Number(second) - offsetSeconds;
  return BigInt(seconds) * NANO_PER_SECOND + BigInt(fraction.padEnd(9, '0'));
}

/** Milliseconds as seconds with three decimals, such as `6.864`. */
export function secondsText(milliseconds: number): string {
  return (milliseconds / 1000).toFixed(3);
}

/** Milliseconds with one decimal, such as `3421.8`; `-` where unknown. */
export function millisecondsText(milliseconds: number | undefined): string {
  return milliseconds === undefined ? '-' : milliseconds.toFixed(1);
}

/** A difference in milliseconds with its sign, such as `+12.5`; `-` where unknown. */
export function signedText(milliseconds: number | undefined): string {
  if (milliseconds === undefined) return '-';
  const text = milliseconds.toFixed(1);
  if (Number(text) === 0) return '0.0';
  return milliseconds > 0 ? `+${text}` : text;
}

/** Both, as the head of a conversation shows them: `6.864s (6864ms)`. */
export function bothUnitsText(milliseconds: number): string {
  return `${secondsText(milliseconds)}s (${milliseconds.toFixed(0)}ms)`;
}

/** `timed_out` as `timed out`. */
export function outcomeText(outcome: string): string {
  return outcome.replace('_', ' ');
}

/** Milliseconds as seconds with three decimals, such as `6.864`. */
export function secondsText(milliseconds: number): string {
  return (milliseconds / 1000).toFixed(3);
}

/** Milliseconds with one decimal, such as `3421.8`; `-` where unknown. */
export function millisecondsText(milliseconds: number | undefined): string {
  return milliseconds === undefined ? '-' : milliseconds.toFixed(1);
}

/** Both, as the head of a conversation shows them: `6.864s (6864ms)`. */
export function bothUnitsText(milliseconds: number): string {
  return `${secondsText(milliseconds)}s (${milliseconds.toFixed(0)}ms)`;
}

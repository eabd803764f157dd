/** About how many ticks an axis has. */
const TICKS = 6;

/** Round milliseconds from 0 up to `endMs`, at steps of 1, 2 or 5 times a power of ten. */
export function axisTicks(endMs: number): number[] {
  const rough = endMs / TICKS;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = power * ([1, 2, 5, 10].find((factor) => factor * power >= rough) ?? 10);
  const count = Math.floor(endMs / step + 1e-9);
  return Array.from({ length: count + 1 }, (_, index) => index * step);
}

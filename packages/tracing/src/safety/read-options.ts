import { reportTrouble } from './report-trouble.ts';

/** A copy of `options`, so that a getter that throws does so here, once; then there are none. */
export function readOptions<Options extends object>(options: Options | undefined): Partial<Options> {
  try {
    return { ...options };
  } catch (error) {
    reportTrouble('reading options', error);
    return {};
  }
}

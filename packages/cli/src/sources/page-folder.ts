import { fileURLToPath } from 'node:url';

/** The folder of the built page: beside the bundled command, and beside its sources once they were built. */
export function pageFolder(): string {
  return fileURLToPath(new URL('../../dist/page', import.meta.url));
}

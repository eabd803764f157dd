import { BuildError } from './programs/build-error.ts';
import { buildPrograms } from './programs/build-programs.ts';

/** `npm run stack:build`: builds what the cache lacks, tells its progress on standard error. */
try {
  await buildPrograms((message) => void process.stderr.write(`${message}\n`));
} catch (error) {
  if (!(error instanceof BuildError)) throw error;
  process.stderr.write(`${error.message}\n`);
  process.exitCode = 1;
}

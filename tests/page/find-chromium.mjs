import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';

const PLACES = ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome', '/snap/bin/chromium'];

/** Finds a Chromium, installs Debian's where there is none, and fails where that does not work: no test is skipped. */
export default function findChromium() {
  const found = process.env.CONVOTEL_CHROMIUM ?? PLACES.find((place) => existsSync(place)) ?? install();
  if (!existsSync(found)) throw new Error(`There is no Chromium at ${found}. Set CONVOTEL_CHROMIUM to its path.`);
  process.env.CONVOTEL_CHROMIUM = found;
}

function install() {
  const [command, ...words] = process.getuid?.() === 0 ? ['apt-get'] : ['sudo', '-n', 'apt-get'];
  const run = (/** @type {string[]} */ ...rest) =>
    execFileSync(command, [...words, ...rest], { stdio: ['ignore', 'ignore', 'inherit'] });
  try {
    run('update');
    run('install', '-y', '--no-install-recommends', 'chromium');
  } catch (error) {
    throw new Error(
      'The tests of the page need Chromium, and it could not be installed. Install it, or set CONVOTEL_CHROMIUM to its path.',
      { cause: error },
    );
  }
  return PLACES[0] ?? '';
}

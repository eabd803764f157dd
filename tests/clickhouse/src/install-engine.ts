import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { ENGINE_FOLDER } from './server/chdb.ts';

/**
 * Installs ClickHouse's engine into `tests/clickhouse/engine`, unless what its lockfile names is there already. npm's
 * own cache keeps the half gigabyte between checkouts. Run as a program: `node dist/install-engine.js`.
 */
function installEngine(): void {
  const wanted = createHash('sha256')
    .update(readFileSync(join(ENGINE_FOLDER, 'package-lock.json')))
    .digest('hex');
  const marker = join(ENGINE_FOLDER, 'node_modules', '.installed');
  if (existsSync(marker) && readFileSync(marker, 'utf8') === wanted) return;
  console.log('Installing the engine of ClickHouse, some 550 MB.');
  const npm = spawnSync('npm', ['ci', '--no-fund', '--no-audit', '--loglevel=error'], {
    cwd: ENGINE_FOLDER,
    stdio: 'inherit',
    // Started by npm itself, which would pass on the settings of the root's install.
    env: { PATH: process.env['PATH'], HOME: process.env['HOME'], npm_config_cache: process.env['npm_config_cache'] },
  });
  if (npm.status !== 0) {
    throw new Error(
      `npm ci in ${ENGINE_FOLDER} ended with status ${npm.status}. The engine exists for Linux (glibc) and macOS; see tests/clickhouse/README.md.`,
    );
  }
  writeFileSync(marker, wanted);
}

installEngine();

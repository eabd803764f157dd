import { execFile, spawn } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import typescript from 'typescript';
import { ROOT } from '../build/packages.mjs';

const run = promisify(execFile);

/**
 * Runs the program of the README with `node`, in a folder in which the packs are installed, against a `convotel serve` of
 * the same installation and the same Node, and asks for what it has recorded.
 * @param {string} node - the path of a Node
 * @param {string} folder
 * @returns {Promise<string>} what `convotel recent` says
 * @throws when something fails, or the conversation did not arrive
 */
export async function runReadmeProgram(node, folder) {
  const program = join(folder, 'readme-program.mjs');
  writeFileSync(program, readmeProgram());
  const command = join(folder, 'node_modules/convotel/bin/convotel.js');
  const version = (await run(node, ['--version'])).stdout.trim();
  const serve = await startServe(node, command, join(folder, `${version}.duckdb`));
  try {
    const environment = { ...process.env, NODE_OPTIONS: '', OTEL_EXPORTER_OTLP_ENDPOINT: serve.url };
    const { stderr } = await run(node, [program], { env: environment, timeout: 60_000 });
    if (stderr !== '') throw new Error(`Node ${version}: the README's program wrote on standard error:\n${stderr}`);
    const { stdout } = await run(node, [command, 'recent', '--json', '--from', serve.url], { timeout: 60_000 });
    const [newest] = JSON.parse(stdout).data;
    if (newest?.stepCount !== 3)
      throw new Error(`Node ${version}: the README's conversation did not arrive:\n${stdout}`);
    return `Node ${version}: the README's program ran, and its ${newest.stepCount} steps arrived.`;
  } finally {
    await serve.stop();
  }
}

/** The TypeScript program below "Wrap your own pipeline", as JavaScript. */
function readmeProgram() {
  const readme = readFileSync(join(ROOT, 'README.md'), 'utf8');
  const text = /^## Wrap your own pipeline$.*?^```ts\n(.*?)^```$/ms.exec(readme)?.[1];
  if (text === undefined) throw new Error('README.md has no program below "Wrap your own pipeline".');
  const options = { module: typescript.ModuleKind.ESNext, target: typescript.ScriptTarget.ES2022 };
  return typescript.transpileModule(text, { compilerOptions: options }).outputText;
}

/**
 * @param {string} node
 * @param {string} command
 * @param {string} storePath
 * @returns {Promise<{ url: string, stop(): Promise<void> }>}
 */
async function startServe(node, command, storePath) {
  const child = spawn(node, [command, 'serve', '--port', '0', '--store', storePath], {
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const ended = new Promise((resolve) => child.once('exit', resolve));
  let output = '';
  const url = await new Promise((resolve, reject) => {
    const hear = (/** @type {Buffer} */ chunk) => {
      output += chunk.toString();
      const address = /http:\/\/127\.0\.0\.1:\d+/.exec(output)?.[0];
      if (address !== undefined) resolve(address);
    };
    child.stdout.on('data', hear);
    child.stderr.on('data', hear);
    void ended.then(() => reject(new Error(`convotel serve ended:\n${output}`)));
  });
  return {
    url: /** @type {string} */ (url),
    async stop() {
      child.kill('SIGTERM');
      await ended;
    },
  };
}

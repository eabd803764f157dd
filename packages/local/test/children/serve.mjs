// Runs the embedded back end on the store named by the first argument, on the port named by the second, until it is
// killed. Prints its address on a line.
import { startLocalBackend } from '@convotel/local';

const [storePath, port = '0'] = process.argv.slice(2);
const backend = await startLocalBackend({ storePath, port: Number(port), retention: { maxAgeDays: Infinity } });
console.log(backend.url);
process.on('SIGTERM', () => void backend.stop().then(() => process.exit(0)));

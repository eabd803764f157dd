// Runs the embedded back end on the store named by the first argument until it is killed. Prints its address on a line.
// With `rewriting` as the second argument it rewrites the store again and again, and prints a line each time.
import { startLocalBackend } from '@convotel/local';

const [storePath, mode] = process.argv.slice(2);
const backend = await startLocalBackend({
  storePath,
  port: 0,
  retention: { maxAgeDays: Infinity },
  onNotice: (notice) => console.error(notice),
});
console.log(backend.url);
process.on('SIGTERM', () => void backend.stop().then(() => process.exit(0)));
if (mode === 'rewriting') {
  for (;;) {
    await backend.reclaim();
    console.log('rewritten');
  }
}

import { startLocalBackend } from '@convotel/local';

/** What the back end's process says when it is asked. */
export interface ProcessUse {
  cpuMicros: number;
  residentBytes: number;
}

const backend = await startLocalBackend({ storePath: process.argv[2]!, port: 0 });
process.on('message', () => {
  const { user, system } = process.cpuUsage();
  const use: ProcessUse = { cpuMicros: user + system, residentBytes: process.memoryUsage.rss() };
  process.send!(use);
});
process.on('disconnect', () => void backend.stop());
process.send!(backend.url);

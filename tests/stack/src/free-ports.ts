import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';

/** Finds `count` different TCP ports of 127.0.0.1 that nobody listens on at the moment. */
export async function findFreePorts(count: number): Promise<number[]> {
  // All are held until the last is found, so that none comes twice.
  const servers = await Promise.all(
    Array.from({ length: count }, async () => {
      const server = createServer();
      await new Promise<void>((resolve, reject) => {
        server.once('error', reject);
        server.listen(0, '127.0.0.1', resolve);
      });
      return server;
    }),
  );
  const ports = servers.map((server) => (server.address() as AddressInfo).port);
  await Promise.all(servers.map((server) => new Promise<void>((resolve) => server.close(() => resolve()))));
  return ports;
}

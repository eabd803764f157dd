import { createServer } from 'node:net';
import type { AddressInfo, Server } from 'node:net';

/** Finds `count` different TCP ports of 127.0.0.1 that nobody listens on at the moment. */
export async function findFreePorts(count: number): Promise<number[]> {
  // All are held until the last is found, so that none comes twice.
  const servers = await Promise.all(Array.from({ length: count }, () => listen(0)));
  const ports = servers.map((server) => (server.address() as AddressInfo).port);
  await Promise.all(servers.map(close));
  return ports;
}

/** Whether nobody listens on this TCP port of 127.0.0.1 at the moment. */
export async function isPortFree(port: number): Promise<boolean> {
  try {
    await close(await listen(port));
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EADDRINUSE') return false;
    throw error;
  }
}

function listen(port: number): Promise<Server> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', reject);
    server.listen(port, '127.0.0.1', () => resolve(server));
  });
}

function close(server: Server): Promise<void> {
  return new Promise((resolve) => server.close(() => resolve()));
}

import { randomInt } from 'node:crypto';
import { createServer } from 'node:net';
import type { AddressInfo, Server } from 'node:net';

/** Systems give ports above these to whoever asks for any: such a port may be taken before its user listens on it. */
const FIRST_PORT = 20_000;
const LAST_PORT = 32_000;

/** Finds `count` different TCP ports of 127.0.0.1 that nobody listens on at the moment. */
export async function findFreePorts(count: number): Promise<number[]> {
  // All are held until the last is found, so that none comes twice.
  const servers = await Promise.all(Array.from({ length: count }, listenSomewhere));
  const ports = servers.map((server) => (server.address() as AddressInfo).port);
  await Promise.all(servers.map(close));
  return ports;
}

/** Finds a TCP port of 127.0.0.1 that nobody listens on, and that hardly anybody takes meanwhile. */
export async function findFreePort(): Promise<number> {
  const [port] = await findFreePorts(1);
  return port!;
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

async function listenSomewhere(): Promise<Server> {
  for (;;) {
    try {
      return await listen(randomInt(FIRST_PORT, LAST_PORT));
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EADDRINUSE') throw error;
    }
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

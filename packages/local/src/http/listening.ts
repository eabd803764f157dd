import { chmodSync, lstatSync, rmSync } from 'node:fs';
import type { Server } from 'node:http';
import { connect, type AddressInfo } from 'node:net';
import { LocalError } from '../local-error.ts';

/** Requests in progress get this long to end when a server stops. */
const STOP_GRACE_MS = 5_000;

/** Starts listening; resolves to the port, which was picked where `0` was asked for. @throws {@link LocalError} `PORT_IN_USE` */
export function listen(server: Server, { port, host }: { port: number; host: string }): Promise<number> {
  return new Promise((resolvePort, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) => {
      if (error.code !== 'EADDRINUSE') {
        reject(error);
        return;
      }
      const message = `port ${port} of ${host} is in use: stop what listens there, or choose another port (--port 0 picks one)`;
      reject(new LocalError('PORT_IN_USE', message, { cause: error }));
    });
    server.listen(port, host, () => resolvePort((server.address() as AddressInfo).port));
  });
}

/** Stops listening, lets requests in progress end, and ends them after some seconds. */
export async function closeServer(server: Server): Promise<void> {
  const closed = new Promise<void>((resolveClosed) => server.close(() => resolveClosed()));
  server.closeIdleConnections();
  const timer = setTimeout(() => server.closeAllConnections(), STOP_GRACE_MS);
  await closed;
  clearTimeout(timer);
}

/** The address of a server, as a person writes it. */
export function urlOf(host: string, port: number): string {
  return `http://${host.includes(':') ? `[${host}]` : host}:${port}`;
}

/**
 * Starts listening on a Unix socket that only its owner reaches. One that a killed process left behind is replaced.
 * @throws {@link LocalError} `PORT_IN_USE` where somebody listens on it, or the file is not a socket
 */
export async function listenOnSocket(server: Server, path: string): Promise<void> {
  const found = lstatSync(path, { throwIfNoEntry: false });
  if (found !== undefined) {
    if (!found.isSocket() || (await isListening(path))) {
      const what = found.isSocket() ? 'is in use' : 'is not a socket';
      throw new LocalError('PORT_IN_USE', `${path} ${what}: stop what listens there, or choose another path`);
    }
    rmSync(path);
  }
  // The file is made by the call, with this mask: nobody else reaches it even for a moment.
  const mask = process.umask(0o177);
  try {
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject);
      server.listen(path, resolve);
    });
  } finally {
    process.umask(mask);
  }
  chmodSync(path, 0o600);
}

function isListening(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(path);
    socket.once('connect', () => {
      socket.destroy();
      resolve(true);
    });
    socket.once('error', () => resolve(false));
  });
}

import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
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

/** What a client is told of the server in its handshake. */
export interface Hello {
  displayName: string;
  version: string;
  timeZone: string;
}

/**
 * The answer to clickhouse-go's handshake `SELECT displayName(), version(), revision(), timezone()`, as a Native block
 * of protocol 54460, which the engine itself does not write. It gives revision 0, so that the client reads and writes all
 * later blocks in the plain form that the engine knows.
 */
export function helloBlock({ displayName, version, timeZone }: Hello): Buffer {
  const text = (value: string): Buffer => Buffer.concat([Buffer.from([Buffer.byteLength(value)]), Buffer.from(value)]);
  const column = (name: string, type: string, value: Buffer): Buffer =>
    // The zero says that the column has no serialization of its own.
    Buffer.concat([text(name), text(type), Buffer.from([0]), value]);
  const blockInfo = Buffer.from([1, 0, 2, 255, 255, 255, 255, 0]);
  const [columns, rows] = [4, 1];
  return Buffer.concat([
    blockInfo,
    Buffer.from([columns, rows]),
    column('displayName()', 'String', text(displayName)),
    column('version()', 'String', text(version)),
    column('revision()', 'UInt32', Buffer.alloc(4)),
    column('timezone()', 'String', text(timeZone)),
  ]);
}

import type { ClickHouseRequest } from './request.ts';
import { ClickHouseRefusal } from './errors.ts';

/** A user of the server. */
export interface User {
  password?: string;
  /** As ClickHouse's setting: 1 may read and change no setting, 2 may read and change settings. */
  readonly?: 1 | 2;
  /** Settings of the user's profile. */
  settings?: Readonly<Record<string, string>>;
}

/** The users by name. */
export type Users = Readonly<Record<string, User>>;

/**
 * Who asks: by headers, else by basic authentication, else by the address.
 * @throws `ClickHouseRefusal` 516 for a wrong password, an unknown user, or two ways at once.
 */
export function logIn(users: Users, { headers, parameters }: ClickHouseRequest): { name: string; user: User } {
  let name = parameters.get('user') ?? 'default';
  let password = parameters.get('password') ?? '';
  const [byHeader, keyHeader] = [headers['x-clickhouse-user'], headers['x-clickhouse-key']];
  const basic = /^basic (.*)$/i.exec(headers.authorization ?? '')?.[1];
  if (byHeader !== undefined || keyHeader !== undefined) {
    if (basic !== undefined) throw refusal(String(byHeader));
    name = String(byHeader ?? 'default');
    password = String(keyHeader ?? '');
  } else if (basic !== undefined) {
    const text = Buffer.from(basic, 'base64').toString();
    const colon = text.indexOf(':');
    name = text.slice(0, colon);
    password = text.slice(colon + 1);
  }
  const user = Object.hasOwn(users, name || 'default') ? users[name || 'default'] : undefined;
  if (user === undefined || (user.password ?? '') !== password) throw refusal(name);
  return { name, user };
}

function refusal(name: string): ClickHouseRefusal {
  const text = `${name}: Authentication failed: password is incorrect, or there is no user with such name.`;
  return new ClickHouseRefusal(516, 'AUTHENTICATION_FAILED', text);
}

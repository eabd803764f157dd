import type { Address } from '../address/address.ts';
import type { About } from '../asking/server.ts';

/** What every view is given. */
export interface ViewProps {
  address: Address;
  /** IANA zone that times are shown in. */
  zone: string;
  /** Absent until the server has said it. */
  about: About | undefined;
}

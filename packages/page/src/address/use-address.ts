import { useEffect, useState } from 'preact/hooks';
import { formatAddress, parseAddress } from './address.ts';
import type { Address } from './address.ts';

/** The address of the page, as it is now and whenever it changes. */
export function useAddress(): Address {
  const [hash, setHash] = useState(location.hash);
  useEffect(() => {
    const read = (): void => setHash(location.hash);
    addEventListener('hashchange', read);
    return () => removeEventListener('hashchange', read);
  }, []);
  return parseAddress(hash);
}

/** Goes to `address`; the back button returns. */
export function goTo(address: Address): void {
  location.hash = formatAddress(address);
}

/** Goes to `address` in place of the present one, such as for each letter typed into a filter. */
export function replaceAddress(address: Address): void {
  history.replaceState(null, '', formatAddress(address));
  dispatchEvent(new HashChangeEvent('hashchange'));
}

/** The viewer's own zone. */
export function ownZone(): string {
  return new Intl.DateTimeFormat().resolvedOptions().timeZone;
}

// Names that somebody else has chosen, resolved so that a request to one leads to no address that is not meant to be reached.

import { lookup as ask } from 'node:dns';
import type { LookupFunction } from 'node:net';
import { isReachable } from '../public-address.ts';
import { addressNotPublic } from './faults.ts';

/** Refuses a name as a whole when one of its addresses may not be reached; otherwise the connection goes to these addresses. */
export function guardedLookup(allowPrivate: boolean, resolve: LookupFunction = ask): LookupFunction {
  return (hostname, options, done) =>
    resolve(hostname, { ...options, all: true }, (error, found) => {
      const addresses = Array.isArray(found) ? found : [];
      const [first] = addresses;
      if (error !== null || first === undefined) {
        done(error ?? Object.assign(new Error('no address'), { code: 'ENOTFOUND' }), []);
      } else if (addresses.some(({ address }) => isReachable(address, allowPrivate) !== true)) {
        done(Object.assign(new Error('not public'), { code: addressNotPublic }), []);
      } else if (options.all === true) {
        done(null, addresses);
      } else {
        done(null, first.address, first.family);
      }
    });
}

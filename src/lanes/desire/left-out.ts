// A source that the configuration in force of a connection does not name, or no longer: nothing of it goes there. Its lanes may be there all the same, and
// whatever gives one of them work, each route of it is closed: what stands there stays, and says why (lanes.md 16). Pure.

import { type Reason, reason } from '../../errors.ts';
import type { LaneConnection } from '../lane-connection.ts';
import type { LaneResource } from '../lane-resource.ts';
import type { Lease } from '../lease.ts';

/** Why nothing of the lane goes to the connection; undefined: its source is one of those whose records do. */
export function leftOut({ config }: LaneConnection, { source, connection }: Lease): Reason | undefined {
  return config.sources.includes(source) ? undefined : reason('source-not-sent', { source, connection });
}

/** The resource with its route closed, for a plan that writes nothing and retires nothing. */
export function closed(resource: LaneResource, why: Reason): LaneResource {
  return { ...resource, route: { route: 'off', reason: why }, desired: undefined, document: undefined, waits: [] };
}

// Links a resource to what was found on the server: it is read from then on, and never written.

import type { JsonObject } from '../json.ts';
import { closeObsolete } from './decisions.ts';
import { patientTopic } from './desire.ts';
import type { LaneDeps } from './lane-connection.ts';
import type { LaneResource } from './lane-resource.ts';
import { holdLease, type LaneKey, type Lease } from './lease.ts';
import { hashOfSeen, saveLinks, saveSeen } from './links.ts';

/** @returns the lanes that waited for the link. */
export async function linkFound(
  deps: LaneDeps,
  lease: Lease,
  resource: LaneResource,
  body: JsonObject,
): Promise<LaneKey[]> {
  const remoteId = String(body.id);
  return deps.store.tx(async (trx) => {
    await holdLease(trx, lease, deps.leaseMs);
    await saveSeen(trx, lease.connection, {
      resourceType: resource.resourceType,
      remoteId,
      versionTag: undefined,
      body,
    });
    const link = {
      remoteId,
      origin: 'found',
      versionTag: undefined,
      sent: undefined,
      seen: undefined,
      seenHash: hashOfSeen(body),
    } as const;
    await closeObsolete(trx, lease, [patientTopic]);
    return saveLinks(trx, lease, [[resource, link]]);
  });
}

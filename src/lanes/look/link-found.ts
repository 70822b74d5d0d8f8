// Links a resource to what was found on the server: it is read from then on, and never written.

import type { JsonObject } from '../../json.ts';
import { closeObsolete, resourceTopic } from '../decisions/decisions.ts';
import type { Run } from '../lane-connection.ts';
import type { LaneResource } from '../lane-resource.ts';
import { type LaneKey, underLease } from '../lease.ts';
import { saveLinks } from '../links/links.ts';
import { hashOfSeen, saveSeen } from '../links/seen.ts';
import { raiseWanted } from '../links/wanted.ts';
import { lanesKeeping, patientTopic } from '../patients/patient-link.ts';

/** @returns the lanes that waited for the link, or keep what began there of the patient that it names. */
export async function linkFound({ deps, lease }: Run, resource: LaneResource, body: JsonObject): Promise<LaneKey[]> {
  const remoteId = String(body.id);
  return underLease({ deps, lease }, async (trx) => {
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
    await closeObsolete(trx, lease, [patientTopic, resourceTopic('several', resource.key)]);
    const waiting = await saveLinks(trx, lease, [[resource, link]]);
    if (resource.resourceType !== 'Patient') return waiting;
    const keeping = await lanesKeeping(trx, lease, remoteId);
    await raiseWanted(trx, keeping);
    return [...waiting, ...keeping];
  });
}

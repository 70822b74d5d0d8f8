// A Patient that we made, whom another client of ours is too by now: its end is not the end of that chart, so the link of the first client ends alone,
// and nothing is written (lanes.md 18).

import type { Run } from '../lane-connection.ts';
import { underLease } from '../lease.ts';
import type { Operation } from '../plan.ts';
import { endPatientLink } from './patient-link.ts';

/** Ends, in place of retiring what it is to, the link to a Patient whom another client stands for. @returns true when a link was ended */
export async function leaveToOthers({ deps, lease }: Run, operations: readonly Operation[]): Promise<boolean> {
  const leaving = operations.find(
    ({ kind, resource }) => kind === 'retire' && resource.key.type === 'client' && resource.resourceType === 'Patient',
  );
  if (leaving === undefined) return false;
  const { connection, source } = lease;
  const { key, link } = leaving.resource;
  return underLease({ deps, lease }, async (trx) => {
    const other = await trx
      .selectFrom('link')
      .select('id')
      .where('connection', '=', connection)
      .where('resource_type', '=', 'Patient')
      .where('type', '=', 'client')
      .where('remote_id', '=', link?.remoteId ?? '')
      .where('retired_at', 'is', null)
      .where((eb) => eb.or([eb('source', '<>', source), eb('id', '<>', key.id)]))
      .limit(1)
      .executeTakeFirst();
    if (other === undefined) return false;
    await endPatientLink(trx, { ...lease, clientId: key.id }, leaving.why);
    return true;
  });
}

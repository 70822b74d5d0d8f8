// What waits on a lane that does not go on says why that one does not (lanes.md 6): somebody has parked it, or all of it rests.

import { type Reason, reason } from '../../errors.ts';
import { json, type Signed, type Store, sql } from '../../store/store.ts';
import type { LaneOfSource } from '../changes.ts';
import { haltedBy, type Known, recordKey } from '../desire/known.ts';
import type { LaneResource } from '../lane-resource.ts';

interface HaltedLane {
  readonly type: string;
  readonly id: string;
  readonly stopped: Signed | null;
  readonly parked: Reason | null;
}

/** The same resources, those that wait on such a lane with its reason. Asks the store only where something waits on another lane. */
export async function tellHalted(
  { db }: Pick<Store, 'db'>,
  { connection, source }: LaneOfSource,
  known: Known,
  resources: readonly LaneResource[],
): Promise<readonly LaneResource[]> {
  const waited = resources.flatMap(({ waits }) => waits.flatMap(({ target }) => (known.isOwn(target) ? [] : target)));
  if (waited.length === 0) return resources;
  const { rows } = await sql<HaltedLane>`
    select distinct r.type, r.id, l.stopped, l.parked
    from jsonb_to_recordset(${json(waited.map(({ type, id }) => ({ type, id })))}) as w(type text, id text)
    join record r on r.source = ${source} and r.type = w.type and r.id = w.id
    join lane l on l.connection = ${connection} and l.subject = r.subject
    where l.stopped is not null or l.parked is not null`.execute(db);
  const halted = new Map(rows.map((row) => [recordKey(row), row]));
  if (halted.size === 0) return resources;
  return resources.map((resource) => ({
    ...resource,
    waits: resource.waits.map((wait) => {
      const lane = halted.get(recordKey(wait.target));
      if (lane === undefined || known.isOwn(wait.target)) return wait;
      if (lane.stopped !== null)
        return haltedBy(wait.target, reason('lane-parked-by-operator', { by: lane.stopped.by }));
      // Why the very resource rests tells more than why its lane does.
      return lane.parked === null || known.parkedReason(wait.target) !== undefined
        ? wait
        : haltedBy(wait.target, lane.parked);
    }),
  }));
}

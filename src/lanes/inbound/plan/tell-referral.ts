// An open referral as the source is offered it: order and Task read together, the moves that they imply, and that its requester asks to cancel it. Pure.

import { type JsonObject, objectAt, textAt } from '../../../json.ts';
import { type BegunReading, changedAt, isAskedToCancel, requestIn } from '../../../referrals/referrals.ts';
import { pointedAtBy } from '../about.ts';
import { type ReferralBodies, referralMoves, referralOtherwise, type Told } from '../propose.ts';
import { abortAt, isOpenAbort } from '../read-abort.ts';
import type { InboundRow } from '../rows.ts';
import { belonging } from './tell-record.ts';
import type { Ground } from './verdict.ts';
import type { View } from './view.ts';

export function tellReferral(
  ground: Ground,
  row: InboundRow,
  bodies: ReferralBodies,
  patient: string,
  status: Extract<BegunReading, { kind: 'offer' }>['status'],
): Told {
  const { view } = ground;
  const { task, order } = bodies;
  const told: Told = {
    type: 'referral',
    id: row.id,
    origin: { resourceType: row.resource_type, id: row.remote_id },
    resources: [
      ...(order === undefined ? [] : [{ slot: 'request', body: order }]),
      ...(task === undefined ? [] : [{ slot: 'fulfilment', body: task }]),
    ],
    fixed: {
      ...referralMoves(bodies, status, row.noted_at.toISOString()),
      ...belonging(ground, patient, [task, order, ...conditionsOf(view, bodies)]),
      ...cancelRequest(view, row, task, patient),
    },
  };
  const { hospital } = view;
  return {
    ...told,
    otherwise: {
      ...referralOtherwise(bodies, view.propose(told).record),
      ...(hospital !== undefined && { requesterOrganizationId: hospital }),
    },
  };
}

/** That the requester asks to cancel what nobody has answered yet withdraws nothing: it is said with it. */
function cancelRequest(view: View, row: InboundRow, task: JsonObject | undefined, patient: string): JsonObject {
  if (task === undefined) return {};
  const before = textAt(objectAt(row.offered ?? undefined, 'cancelRequest'), 'at');
  if (isAskedToCancel(task)) return { cancelRequest: { ...requestIn(task, before ?? changedAt(task)) } };
  const abort = view.input.rows
    .filter(({ resource_type: type, type: becomes }) => type === 'Task' && becomes === 'referral')
    .map(({ remote_id: id }) => view.body({ resourceType: 'Task', id }))
    .filter((body) => body !== undefined)
    .find((body) => isOpenAbort(body, task, { baseUrl: view.baseUrl, patients: [patient] }));
  return abort === undefined ? {} : { cancelRequest: { ...requestIn(abort, abortAt(abort)) } };
}

/** What an order is for tells as much as the order. */
function conditionsOf(view: View, { order }: ReferralBodies): (JsonObject | undefined)[] {
  const named = order === undefined ? [] : pointedAtBy(order, view.baseUrl);
  return named.filter(({ resourceType }) => resourceType === 'Condition').map((one) => view.body(one));
}

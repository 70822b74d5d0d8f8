// A client whom its source has found to be a duplicate of another (`mergedInto`). What the duplicate has on a server moves with its records, when the
// source sends them again with the other's id; until then a person is told what is still to be done. No Patient is made for a duplicate, and none that
// is there is written or deleted for it.

import { reason } from '../../errors.ts';
import { closeObsolete, openDecision } from '../decisions/decisions.ts';
import type { Run } from '../lane-connection.ts';
import type { LaneResource } from '../lane-resource.ts';
import { underLease } from '../lease.ts';
import type { LaneState } from '../load/load.ts';
import { patientSlot } from './patient-link.ts';
import { asDetail, writtenTo } from './written.ts';

const topics = 'duplicate:';

/** Tells of the lane's client once for each client that it is said to be. @returns true when something was stored */
export async function tellOfDuplicate(
  run: Run,
  { resources, openDecisions }: Pick<LaneState, 'resources' | 'openDecisions'>,
): Promise<boolean> {
  const { lease } = run;
  const resource = resources.find(({ key }) => key.type === 'client' && key.slot === patientSlot);
  const duplicate = resource?.leave === undefined ? resource?.duplicate : undefined;
  const { other, isRing } = duplicate ?? { other: '', isRing: false };
  const topic = `${topics}${isRing ? 'ring:' : ''}${other}`;
  const over = openDecisions.map((one) => one.topic).filter((one) => one.startsWith(topics) && one !== topic);
  const isNew = resource !== undefined && duplicate !== undefined && (await isToBeTold(run, resource, other, topic));
  if (over.length === 0 && !isNew) return false;
  await underLease(run, async (trx) => {
    await closeObsolete(trx, lease, over);
    if (!isNew) return;
    const { link, key } = resource;
    const client = { ...lease, clientId: key.id };
    const effect = isRing
      ? 'Nothing is looked for, made or moved otherwise than without it, until one of the records says something else.'
      : `What the source sends again with the clientId ${other} is marked as entered in error in the chart of the duplicate and made anew in the other's.`;
    await openDecision(trx, lease, {
      kind: 'client-duplicate',
      topic,
      key,
      reason: reason(isRing ? 'client-duplicate-ring' : 'client-duplicate', { other }),
      detail: {
        mergedInto: other,
        patient: link?.remoteId ?? null,
        // A patient that we made stays as it is: the hospital merges it, or switches it off.
        madeByUs: link?.origin === 'created',
        written: link === undefined ? [] : asDetail(await writtenTo(trx, client, link.remoteId)),
      },
      choices: [{ choose: 'noted', effect: `Seen. ${effect} This answer changes nothing.` }],
    });
  });
  return true;
}

/** Nothing is to be done where both are one patient already, or the duplicate has nothing that would be there. */
async function isToBeTold(
  { deps: { store }, lease: { connection, source, subject } }: Run,
  { key, link, route }: LaneResource,
  other: string,
  topic: string,
): Promise<boolean> {
  const told = await store.db
    .selectFrom('decision')
    .select('id')
    .where('connection', '=', connection)
    .where('subject', '=', subject)
    .where('topic', '=', topic)
    .where('state', 'in', ['open', 'decided'])
    .limit(1)
    .executeTakeFirst();
  if (told !== undefined) return false;
  if (link === undefined) {
    if (route.route !== 'native' && route.route !== 'read') return false;
    const record = await store.db
      .selectFrom('record')
      .select('id')
      .where('source', '=', source)
      .where('client_id', '=', key.id)
      .where('type', '<>', 'client')
      .where('deleted', '=', false)
      .limit(1)
      .executeTakeFirst();
    return record !== undefined;
  }
  const same = await store.db
    .selectFrom('link')
    .select('remote_id')
    .where('connection', '=', connection)
    .where('source', '=', source)
    .where('type', '=', 'client')
    .where('id', '=', other)
    .where('slot', '=', patientSlot)
    .where('remote_id', '=', link.remoteId)
    .where('retired_at', 'is', null)
    .executeTakeFirst();
  return same === undefined;
}

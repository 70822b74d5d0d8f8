// What became of linked resources that are not at their ids any more: a person is asked once about each, and nothing is sent for it before the answer.
// What is there again is no question any more (lanes.md 16).

import type { Transaction } from 'kysely';
import { reason } from '../errors.ts';
import { textAt } from '../json.ts';
import type { Database } from '../store/store.ts';
import { type Choice, closeObsolete, type NewDecision, resourceTopic } from './decisions.ts';
import type { LaneConnection, Run } from './lane-connection.ts';
import { type LaneResource, nameOf } from './lane-resource.ts';
import { holdLease, type LaneKey, type Lease } from './lease.ts';
import { hashOfSeen, raiseWanted, saveStates, updateLink, wakeWaiting } from './links.ts';
import type { LaneState } from './load.ts';
import { askAboutGone } from './operating/mass-gone.ts';
import { storeLost, survivorOf } from './patients/merged.ts';
import { patientSlot } from './patients/patient-link.ts';
import { goneReason } from './plan.ts';
import { readOne } from './read-one.ts';
import { forgetLeft } from './set-aside.ts';

/** @returns lanes that have work now; undefined: nothing was stored */
export async function settleGone(
  { deps, connection, lease }: Run,
  state: LaneState,
): Promise<readonly LaneKey[] | undefined> {
  const { known, resources } = state;
  const linked = resources.filter(({ link, untold }) => link !== undefined && !link.retired && untold === undefined);
  const isMarked = (resource: LaneResource) => {
    const link = known.link(resource.key);
    return link !== undefined && known.isGone(link);
  };
  const back = linked.filter(
    (one) =>
      one.observed !== undefined && (isMarked(one) || one.left !== undefined || one.openTopics.has(topicOf(one))),
  );
  const found = linked.filter(isOtherwiseFound);
  const [patients, others] = partition(linked.filter(isToAsk), isOtherPatient);
  const lost = patients.filter(({ leave }) => leave === undefined);
  const gone = others.filter(({ leave, stranger }) => leave === undefined || stranger !== undefined);
  const unmarked = gone.filter((resource) => !isMarked(resource));
  if (back.length + found.length + lost.length + gone.length === 0) return undefined;
  const moved = await movedWithTheirPatient(connection, state, gone);
  const asked = gone.filter((resource) => !moved.has(resource));
  let isNews = back.length + found.length + lost.length + unmarked.length > 0;
  const woken: LaneKey[] = [];
  await deps.store.tx(async (trx) => {
    await holdLease(trx, lease, deps.leaseMs);
    for (const resource of found) await keepFound(trx, lease, resource);
    for (const resource of lost) woken.push(...(await storeLost(trx, connection, lease, resource)));
    for (const resource of asked) {
      const isNew = await askAboutGone(trx, lease, resource, question(resource));
      isNews ||= isNew;
    }
    const now = new Map(unmarked.map((resource) => [resource, goneReason(resource)]));
    await saveStates(
      trx,
      lease,
      [...now].map(([resource, why]) => ({ resource, state: 'parked', reason: why })),
    );
    if (back.length > 0) woken.push(...(await takeBack(trx, lease, back)));
    const clients = unmarked.flatMap((resource) => moved.get(resource) ?? []);
    const lanes = [...new Set(clients)].map((id) => ({
      connection: lease.connection,
      subject: `${lease.source}.client.${id}`,
    }));
    await raiseWanted(trx, lanes, { reread: true });
    woken.push(...lanes);
  });
  return isNews ? woken : undefined;
}

/**
 * The hospital may have merged the patient, and moved the chart, before the client's lane has heard of it: then that lane looks first, and what it finds
 * explains the new patient, or is a question of its own. @returns the clients who are to be looked at
 */
async function movedWithTheirPatient(
  connection: LaneConnection,
  { known }: LaneState,
  gone: readonly LaneResource[],
): Promise<ReadonlyMap<LaneResource, string>> {
  const moved = new Map<LaneResource, string>();
  const standing = new Map<string, boolean>();
  for (const resource of gone) {
    const { stranger, record = {} } = resource;
    const id = textAt(record, 'clientId');
    const was = stranger?.was;
    if (was === undefined || id === undefined) continue;
    if (known.link({ type: 'client', id, slot: patientSlot })?.remote_id !== was) continue;
    const stands = standing.get(was) ?? (await standsThere(connection, was));
    standing.set(was, stands);
    if (!stands) moved.set(resource, id);
  }
  return moved;
}

async function standsThere(connection: LaneConnection, id: string): Promise<boolean> {
  const { body } = await readOne(connection, { resourceType: 'Patient', id });
  return body !== undefined && (await survivorOf(connection, id, body)).kind === 'same';
}

function topicOf({ key }: LaneResource): string {
  return resourceTopic('gone', key);
}

function isToAsk({ isGone, left, openTopics, key }: LaneResource): boolean {
  return isGone && left === undefined && !openTopics.has(resourceTopic('gone', key));
}

/** Of a Patient whom we made and who is gone, nobody else can have taken the place. */
function isOtherPatient({ key, resourceType, link, stranger }: LaneResource): boolean {
  return key.type === 'client' && resourceType === 'Patient' && (stranger !== undefined || link?.origin === 'found');
}

/** What was found and is not ours to write is otherwise than it was; that it is the same thing, its look has told. */
function isOtherwiseFound({ link, observed }: LaneResource): boolean {
  return link?.origin === 'found' && observed !== undefined && link.seenHash !== hashOfSeen(observed.body);
}

function keepFound(trx: Transaction<Database>, lease: Lease, resource: LaneResource): Promise<void> {
  const { observed, slot } = resource;
  if (observed === undefined) return Promise.resolve();
  return updateLink(trx, lease, resource, { seen: slot?.facts(observed.body), seenHash: observed.hash });
}

/** What waits for it goes on. */
async function takeBack(
  trx: Transaction<Database>,
  lease: Lease,
  back: readonly LaneResource[],
): Promise<readonly LaneKey[]> {
  await closeObsolete(trx, lease, back.map(topicOf));
  await saveStates(
    trx,
    lease,
    back.map((resource) => ({ resource, state: 'current', reason: undefined })),
  );
  const left = back.filter((resource) => resource.left !== undefined);
  await forgetLeft(
    trx,
    lease,
    left.map(({ key }) => key),
  );
  return wakeWaiting(
    trx,
    lease,
    back.map(({ key }) => key),
  );
}

function question(resource: LaneResource): NewDecision {
  const { key, resourceType, link, stranger } = resource;
  return {
    kind: 'remote-gone',
    topic: topicOf(resource),
    key,
    reason: stranger?.reason ?? reason('remote-gone', { target: nameOf(key) }),
    detail: { resourceType, id: link?.remoteId ?? '' },
    choices: choicesFor(resource),
  };
}

function choicesFor({ link, stranger }: LaneResource): Choice[] {
  const effect =
    link?.origin === 'found'
      ? 'Look for it there once more, and make it where it is not found.'
      : 'Make it again as a new resource on the server. What stands under the id is not touched.';
  const ours = { choose: 'ours', effect: 'What stands there is still this: go on reading and writing it.' };
  return [
    ...(link?.origin === 'theirs' ? [] : [{ choose: 'recreate', effect }]),
    ...(stranger?.evidence === 'other-content' ? [ours] : []),
    { choose: 'leave', effect: 'Leave it so; nothing more is sent for it.' },
  ];
}

function partition<T>(all: readonly T[], is: (one: T) => boolean): [T[], T[]] {
  return [all.filter(is), all.filter((one) => !is(one))];
}

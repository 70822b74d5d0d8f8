// What became of linked resources that are not at their ids any more: a person is asked once about each, and nothing is sent for it before the answer.
// What is there again is no question any more (lanes.md 16).

import type { Transaction } from 'kysely';
import { type Reason, reason } from '../../errors.ts';
import { textAt } from '../../json.ts';
import type { Database } from '../../store/store.ts';
import { type Choice, closeObsolete, type NewDecision, resourceTopic } from '../decisions/decisions.ts';
import { forgetLeft } from '../decisions/set-aside.ts';
import type { LinkRow } from '../desire/known.ts';
import type { LaneConnection, Run } from '../lane-connection.ts';
import { type LaneResource, lostCodes, nameOf } from '../lane-resource.ts';
import { type LaneKey, type Lease, underLease } from '../lease.ts';
import { updateLink } from '../links/links.ts';
import { hashOfSeen } from '../links/seen.ts';
import { saveStates } from '../links/states.ts';
import { wakeWaiting } from '../links/waiting.ts';
import { raiseWanted } from '../links/wanted.ts';
import type { LaneState } from '../load/load.ts';
import { askAboutGone, takeOut } from '../operating/mass-gone.ts';
import { saysMerged, storeReplaced, survivorOf } from '../patients/merged.ts';
import { patientSlot } from '../patients/patient-link.ts';
import { goneReason } from '../plan.ts';
import { isAnswered } from './read.ts';
import { readOne } from './read-one.ts';
import { type Failure, failureOf, isFailure } from './search-failure.ts';

export type GoneSettled =
  | { readonly kind: 'nothing' }
  /** Something was stored, or learned. `woken`: lanes that have work now. */
  | { readonly kind: 'settled'; readonly woken: readonly LaneKey[] }
  | Failure;

/** @param unread takes in those about which nothing can be said before their patient can be read */
export async function judgeGone(
  { deps, connection, lease }: Run,
  state: LaneState,
  unread: Map<string, Reason>,
): Promise<GoneSettled> {
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
  const isOtherNow = ({ key, stranger }: LaneResource) => stranger !== undefined && isLostOnly(known.link(key));
  const toAsk = linked.filter((resource) => isToAsk(resource) && (!isAsked(resource) || isOtherNow(resource)));
  const [patients, others] = partition(toAsk, isOtherPatient);
  const replaced = patients.filter(({ leave }) => leave === undefined);
  const gone = others.filter(({ leave, stranger }) => leave === undefined || stranger !== undefined);
  const unmarked = gone.filter((resource) => !isMarked(resource) || isOtherNow(resource));
  if (back.length + found.length + replaced.length + gone.length === 0) return { kind: 'nothing' };
  const theirs = await lookAtTheirPatients(connection, state, gone);
  if (isFailure(theirs)) return theirs;
  const { moved, untold } = theirs;
  for (const [resource, why] of untold) unread.set(nameOf(resource.key), why);
  const asked = gone.filter((resource) => !moved.has(resource) && !untold.has(resource));
  let isNews = back.length + found.length + replaced.length + unmarked.length + untold.size > 0;
  const woken: LaneKey[] = [];
  await underLease({ deps, lease }, async (trx) => {
    for (const resource of found) await keepFound(trx, lease, resource);
    for (const resource of replaced) woken.push(...(await storeReplaced(trx, connection, lease, resource)));
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
  return isNews ? { kind: 'settled', woken } : { kind: 'nothing' };
}

interface TheirPatients {
  readonly kind: 'looked';
  /** What is in another chart by now, with the client whose patient does not stand any more. */
  readonly moved: ReadonlyMap<LaneResource, string>;
  /** What is in another chart by now, with why it cannot be told whether the client's patient stands. */
  readonly untold: ReadonlyMap<LaneResource, Reason>;
}

/**
 * The hospital may have merged the patient, and moved the chart, before the client's lane has heard of it: then that lane looks first, and what it finds
 * explains the new patient, or is a question of its own.
 */
async function lookAtTheirPatients(
  connection: LaneConnection,
  { known }: LaneState,
  gone: readonly LaneResource[],
): Promise<TheirPatients | Failure> {
  const moved = new Map<LaneResource, string>();
  const untold = new Map<LaneResource, Reason>();
  const looks = new Map<string, Stands>();
  for (const resource of gone) {
    const { stranger, record = {} } = resource;
    const id = textAt(record, 'clientId');
    const was = stranger?.was;
    if (was === undefined || id === undefined) continue;
    const patient = known.link({ type: 'client', id, slot: patientSlot });
    // Of a patient who was left gone no look will tell anything more.
    if (patient?.remote_id !== was || patient.reason?.code === 'remote-left') continue;
    const look = looks.get(was) ?? (await standsThere(connection, was));
    looks.set(was, look);
    if (look.kind === 'moved') moved.set(resource, id);
    if (!isFailure(look)) continue;
    if (look.isAlone !== true) return look;
    untold.set(resource, look.reason);
  }
  return { kind: 'looked', moved, untold };
}

/** `isAlone`: the server has answered, and may well show other things. */
type Stands = { readonly kind: 'stands' | 'moved' } | (Failure & { readonly isAlone?: boolean });

/** Who may not be seen has not moved, as far as anybody can tell. */
async function standsThere(connection: LaneConnection, id: string): Promise<Stands> {
  const { reply, body, failed } = await readOne(connection, { resourceType: 'Patient', id });
  if (failed === undefined) {
    const survivor = await survivorOf(connection, id, body);
    return isFailure(survivor) ? survivor : { kind: survivor.kind === 'same' ? 'stands' : 'moved' };
  }
  if (failed.class === 'gone' || saysMerged(connection, reply)) return { kind: 'moved' };
  if (failed.class === 'denied' || failed.class === 'permanent') return { kind: 'stands' };
  return { ...failureOf(failed), isAlone: isAnswered(reply) && failed.retryAfterMs === undefined };
}

function topicOf({ key }: LaneResource): string {
  return resourceTopic('gone', key);
}

function isToAsk({ isGone, left, unread }: LaneResource): boolean {
  return isGone && left === undefined && unread === undefined;
}

function isAsked(resource: LaneResource): boolean {
  return resource.openTopics.has(topicOf(resource));
}

/** Nothing stood there when it was looked at last. */
function isLostOnly(link: LinkRow | undefined): boolean {
  return link?.state === 'parked' && lostCodes.includes(link.reason?.code ?? '');
}

function isPatient({ key, resourceType }: LaneResource): boolean {
  return key.type === 'client' && resourceType === 'Patient';
}

/** Somebody else is under the id of the client. */
function isOtherPatient(resource: LaneResource): boolean {
  return isPatient(resource) && resource.stranger !== undefined;
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
  await takeOut(
    trx,
    lease,
    back.map(({ key }) => key),
  );
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

function choicesFor(resource: LaneResource): Choice[] {
  const { link, stranger } = resource;
  const leave = { choose: 'leave', effect: 'Leave it so; nothing more is sent for it.' };
  if (isPatient(resource) && link?.origin === 'found')
    return [
      { choose: 'again', effect: 'Look for the client there once more. Where nobody is found, a person is asked.' },
      leave,
    ];
  const effect =
    link?.origin === 'found'
      ? 'Look for it there once more, and make it where it is not found.'
      : 'Make it again as a new resource on the server. What stands under the id is not touched.';
  const ours = { choose: 'ours', effect: 'What stands there is still this: go on reading and writing it.' };
  return [
    ...(link?.origin === 'theirs' ? [] : [{ choose: 'recreate', effect }]),
    ...(stranger?.evidence === 'other-content' ? [ours] : []),
    leave,
  ];
}

function partition<T>(all: readonly T[], is: (one: T) => boolean): [T[], T[]] {
  return [all.filter(is), all.filter((one) => !is(one))];
}

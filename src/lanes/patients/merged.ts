// A linked patient whom the hospital has merged into another: the link follows the survivor, and a person is told what had been written to the
// old chart. A survivor who is plainly somebody else is a question instead, and so is one whose merge the hospital has taken back, and a patient
// whom it has switched off (ehr-behaviour E20, C14; design section 7).

import type { Transaction } from 'kysely';
import { type Fault, type FhirReply, issueCodes } from '../../connections/connections.ts';
import { type Reason, reason } from '../../errors.ts';
import type { JsonObject } from '../../json.ts';
import type { Database } from '../../store/store.ts';
import { openDecision } from '../decisions/decisions.ts';
import { originHere } from '../inbound/origin.ts';
import type { LaneConnection, Run } from '../lane-connection.ts';
import type { LaneResource, LinkState } from '../lane-resource.ts';
import { type LaneKey, type Lease, underLease } from '../lease.ts';
import { saveSeen } from '../links/seen.ts';
import { raiseWanted } from '../links/wanted.ts';
import { readOne } from '../look/read-one.ts';
import { type Failure, failureOf } from '../look/search-failure.ts';
import { askWho, type Question } from './find-patient.ts';
import { isSomebodyElse, replacedBy, standsForItself, strongIdentifiers } from './match.ts';
import { type ClientOn, endPatientLink, lanesOfClient, pointAtPatient, voidPlans } from './patient-link.ts';
import { asDetail, writtenTo } from './written.ts';

/** Who took the place of a patient; `unnamed`: the server says that somebody did, and not who, or names one of another server. */
export type Survivor =
  | { readonly kind: 'same' }
  | { readonly kind: 'survivor'; readonly body: JsonObject }
  | { readonly kind: 'unnamed' }
  | Failure;

/** A chain of merges that is longer than this is a loop. */
const mostMerges = 5;

/** Follows redirects (which the client has done) and `replaced-by` to the patient who stands. */
export async function survivorOf(connection: LaneConnection, id: string, shown: JsonObject): Promise<Survivor> {
  let body = shown;
  for (let hops = 0; hops < mostMerges; hops += 1) {
    const next = replacedBy(body, connection.config.baseUrl);
    if (next === null) return { kind: 'unnamed' };
    if (next === undefined || next === body.id) return body.id === id ? { kind: 'same' } : { kind: 'survivor', body };
    const read = await readOne(connection, { resourceType: 'Patient', id: next });
    const { failed } = read;
    if (failed?.class === 'gone' || failed?.class === 'denied' || failed?.class === 'permanent')
      return { kind: 'unnamed' };
    if (failed !== undefined) return failureOf(failed);
    body = read.body;
  }
  return { kind: 'unnamed' };
}

/** The server refuses to show a patient because another has taken their place. */
export function saysMerged({ vendor }: LaneConnection, reply: FhirReply | Fault): boolean {
  return reply.fault === undefined && issueCodes(reply.body).some((code) => vendor.patients.merged.includes(code));
}

/** Stores what a merge means for the link. @returns lanes that have work now. */
export async function storeMerge(
  { deps, connection, lease }: Run,
  resource: LaneResource,
  link: LinkState,
  survivor: JsonObject | undefined,
): Promise<LaneKey[]> {
  const client: ClientOn = { ...lease, clientId: resource.key.id };
  return underLease({ deps, lease }, async (trx) => {
    const written = asDetail(await writtenTo(trx, client, link.remoteId));
    const others = await partFrom(trx, lease, client, reason('patient-merged'));
    const merge: Merge = { trx, connection, lease, resource, client, was: link.remoteId, written };
    if (survivor === undefined) {
      // Looked for again, as if it had never been linked.
      await tell(merge, null);
    } else if (whyNot(resource, survivor) !== undefined) {
      await askAboutSurvivor(merge, survivor);
    } else {
      await follow(merge, survivor);
    }
    return others;
  });
}

/**
 * Somebody else stands under the id of the patient: nobody is linked until a person has said who the client is, and what was written is listed for
 * them. @returns lanes that have work now
 */
export function storeReplaced(
  trx: Transaction<Database>,
  connection: LaneConnection,
  lease: Lease,
  resource: LaneResource,
): Promise<LaneKey[]> {
  const { stranger, record = {}, route } = resource;
  return partAndAsk(trx, connection, lease, resource, {
    patients: stranger === undefined ? [] : [stranger.shown],
    mayCreate:
      route.route === 'native' &&
      connection.config.createPatients &&
      originHere(record, connection.config.id) === undefined,
    isSought: true,
    why: reason('patient-replaced'),
  });
}

/** Ends the link to a patient, with whatever was planned for it. @returns the other lanes of the client, which look again */
export async function partFrom(
  trx: Transaction<Database>,
  { subject }: Pick<Lease, 'subject'>,
  client: ClientOn,
  why: Reason,
): Promise<LaneKey[]> {
  const others = (await lanesOfClient(trx, client)).filter((lane) => lane.subject !== subject);
  await raiseWanted(trx, others, { unpark: true });
  await endPatientLink(trx, client, why);
  await voidPlans(trx, client);
  return others;
}

/** Why the client may not be the survivor; undefined: the merge is believed. */
function whyNot({ record, client }: LaneResource, survivor: JsonObject): Reason | undefined {
  const by = client?.denied.get(String(survivor.id));
  if (by !== undefined) return reason('patient-denied', { by });
  return isSomebodyElse(record ?? {}, survivor) ? reason('patient-merged-elsewhere') : undefined;
}

interface Merge {
  readonly trx: Transaction<Database>;
  readonly connection: LaneConnection;
  readonly lease: Lease;
  readonly resource: LaneResource;
  readonly client: ClientOn;
  readonly was: string;
  readonly written: JsonObject[];
}

async function follow(merge: Merge, survivor: JsonObject): Promise<void> {
  const remoteId = String(survivor.id);
  const { trx, lease, client } = merge;
  await saveSeen(trx, lease.connection, { resourceType: 'Patient', remoteId, versionTag: undefined, body: survivor });
  await raiseWanted(trx, await pointAtPatient(trx, client, remoteId));
  await tell(merge, remoteId);
}

function tell({ trx, lease, resource, was, written }: Merge, now: string | null): Promise<void> {
  const moved = 'The hospital moves what was in the old chart; Casebridge writes to the new one from now on.';
  const sought = 'The server does not say into whom; the client is looked for again.';
  return openDecision(trx, lease, {
    kind: 'patient-merged',
    topic: `merged:${was}`,
    key: resource.key,
    reason: reason('patient-merged'),
    detail: { was, now, written },
    choices: [{ choose: 'noted', effect: `Seen. ${now === null ? sought : moved}` }],
  });
}

function askAboutSurvivor({ trx, connection, lease, resource, was, written }: Merge, survivor: JsonObject) {
  return askWho(trx, lease, resource, {
    patients: [survivor],
    grades: new Map(),
    strong: strongIdentifiers(resource.record ?? {}, connection.config.identifierSystems),
    mayCreate: false,
    why: whyNot(resource, survivor) ?? reason('patient-merged-elsewhere'),
    more: { was, mergedInto: String(survivor.id), written },
  });
}

/** Of the patients who were merged into the linked one, the first who stands for itself again. Who cannot be read has not changed. */
export async function standsAgain(
  connection: LaneConnection,
  merged: readonly string[],
): Promise<JsonObject | undefined> {
  for (const id of merged) {
    const { body } = await readOne(connection, { resourceType: 'Patient', id });
    if (body?.id === id && standsForItself(body)) return body;
  }
  return undefined;
}

/** The hospital has taken a merge back: whose chart the client's is, only a person can say. @returns lanes that have work now. */
export function storeUnmerge(run: Run, resource: LaneResource, patients: readonly JsonObject[]): Promise<LaneKey[]> {
  return askAnew(run, resource, { patients, why: reason('patient-unmerged') });
}

/**
 * Asks about a linked patient whom the hospital has switched off without naming another: a duplicate, an error, or somebody who left. Once: who is the
 * client although switched off stays so. @returns lanes that have work now; undefined: nobody was switched off
 */
export async function askAboutInactive(run: Run, resources: readonly LaneResource[]): Promise<LaneKey[] | undefined> {
  for (const resource of resources) {
    const { client, link, leave, observed, isGone } = resource;
    if (client === undefined || link === undefined || link.retired || leave !== undefined || isGone) continue;
    const isOff = observed?.body.active === false && replacedBy(observed.body) === undefined;
    if (!isOff || client.switchedOff.includes(link.remoteId)) continue;
    const question = { patients: [observed.body], isSought: true, why: reason('patient-inactive') };
    return askAnew(run, resource, question);
  }
  return undefined;
}

function askAnew(
  { deps, connection, lease }: Run,
  resource: LaneResource,
  question: Pick<Question, 'patients' | 'isSought' | 'why'>,
): Promise<LaneKey[]> {
  return underLease({ deps, lease }, async (trx) => {
    return partAndAsk(trx, connection, lease, resource, { ...question, mayCreate: false });
  });
}

/** Ends the link and asks who the client is: what depends on it waits, and what was written stays as it is, and is listed. */
async function partAndAsk(
  trx: Transaction<Database>,
  { config }: LaneConnection,
  lease: Lease,
  resource: LaneResource,
  question: Pick<Question, 'patients' | 'isSought' | 'mayCreate' | 'why'>,
): Promise<LaneKey[]> {
  const client: ClientOn = { ...lease, clientId: resource.key.id };
  const was = resource.link?.remoteId ?? '';
  const written = asDetail(await writtenTo(trx, client, was));
  const others = await partFrom(trx, lease, client, question.why);
  await askWho(trx, lease, resource, {
    ...question,
    grades: new Map(),
    strong: strongIdentifiers(resource.record ?? {}, config.identifierSystems),
    more: { was, written },
  });
  return others;
}

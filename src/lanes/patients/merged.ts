// A linked patient whom the hospital has merged into another: the link follows the survivor, and a person is told what had been written to the
// old chart. A survivor who is plainly somebody else is a question instead (ehr-behaviour E20, C14; design section 7).

import type { Transaction } from 'kysely';
import { reason } from '../../errors.ts';
import type { JsonObject } from '../../json.ts';
import type { Database } from '../../store/store.ts';
import { openDecision } from '../decisions.ts';
import type { LaneConnection, LaneDeps } from '../lane-connection.ts';
import type { LaneResource, LinkState } from '../lane-resource.ts';
import { holdLease, type LaneKey, type Lease } from '../lease.ts';
import { raiseWanted, saveSeen } from '../links.ts';
import { readOne } from '../read-one.ts';
import type { Failure } from '../search-failure.ts';
import { askWho } from './find-patient.ts';
import { isSomebodyElse, replacedBy, strongIdentifiers } from './match.ts';
import { type ClientOn, endPatientLink, lanesOfClient, pointAtPatient, voidPlans } from './patient-link.ts';
import { asDetail, writtenTo } from './written.ts';

/** Who took the place of a patient; `unnamed`: the server says that somebody did, and not who. */
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
    const next = replacedBy(body)?.replace('Patient/', '');
    if (next === undefined || next === body.id) return body.id === id ? { kind: 'same' } : { kind: 'survivor', body };
    const read = await readOne(connection, { resourceType: 'Patient', id: next });
    const { failed } = read;
    if (failed?.class === 'gone' || failed?.class === 'denied' || failed?.class === 'permanent')
      return { kind: 'unnamed' };
    if (failed !== undefined) return { kind: 'again', reason: failed.reason, afterMs: failed.retryAfterMs };
    body = read.body;
  }
  return { kind: 'unnamed' };
}

/** Stores what a merge means for the link. @returns lanes that have work now. */
export async function storeMerge(
  deps: LaneDeps,
  connection: LaneConnection,
  lease: Lease,
  resource: LaneResource,
  link: LinkState,
  survivor: JsonObject | undefined,
): Promise<LaneKey[]> {
  const client: ClientOn = { ...lease, clientId: resource.key.id };
  return deps.store.tx(async (trx) => {
    await holdLease(trx, lease, deps.leaseMs);
    const written = asDetail(await writtenTo(trx, client, link.remoteId));
    const others = (await lanesOfClient(trx, client)).filter(({ subject }) => subject !== lease.subject);
    await raiseWanted(trx, others, { unpark: true });
    await endPatientLink(trx, client, reason('patient-merged'));
    await voidPlans(trx, client);
    const merge: Merge = { trx, connection, lease, resource, client, was: link.remoteId, written };
    if (survivor === undefined) {
      // Looked for again, as if it had never been linked.
      await tell(merge, null);
    } else if (isSomebodyElse(resource.record ?? {}, survivor)) {
      await askAboutSurvivor(merge, survivor);
    } else {
      await follow(merge, survivor);
    }
    return others;
  });
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
    why: reason('patient-merged-elsewhere'),
    more: { was, mergedInto: String(survivor.id), written },
  });
}

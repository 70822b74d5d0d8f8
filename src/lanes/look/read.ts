// Looks at linked resources on the server and keeps what was seen. The look itself changes nothing else: absorbing is for the run.

import type { Fault, FhirReply } from '../../connections/connections.ts';
import { reason } from '../../errors.ts';
import type { JsonObject } from '../../json.ts';
import { holdDocuments } from '../documents/editions.ts';
import type { Run } from '../lane-connection.ts';
import type { LaneResource, LinkState } from '../lane-resource.ts';
import { underLease } from '../lease.ts';
import { hashOfSeen, saveSeen } from '../links/seen.ts';
import { type Survivor, saysMerged, standsAgain, storeMerge, storeUnmerge, survivorOf } from '../patients/merged.ts';
import { type OneRead, readOne } from './read-one.ts';
import { type Failure, failureOf, isFailure, isRestricted, type Refused } from './search-failure.ts';

export type ReadResult =
  /** `isNews`: it is not as it was seen before, and what is seen now is stored. */
  | { readonly kind: 'read'; readonly isNews: boolean }
  /** `isAlone`: the server has answered, and may well show the others. */
  | (Failure & { readonly isAlone?: boolean })
  /** Nobody may see it, and asking again is no use (ehr-behaviour 6.3). */
  | Refused;

/** Reads one linked resource. A 404 or 410 is kept as gone; a failure changes nothing. */
export async function readLinked(
  run: Run,
  resource: LaneResource,
  link: LinkState,
  fresh: Set<string>,
): Promise<ReadResult> {
  const { connection, lease } = run;
  const { resourceType } = resource;
  const { remoteId } = link;
  const read = await readOne(connection, { resourceType, id: remoteId });
  const { reply, body, failed } = read;
  if (resourceType === 'Patient' && resource.key.type === 'client') {
    const moved = await followMerge(run, resource, link, read, fresh);
    if (moved !== undefined) return moved;
  }
  const isCapped = failed?.reason.code === 'server-daily-cap';
  if (failed?.class === 'denied' || (failed?.class === 'permanent' && !isCapped)) {
    fresh.add(`${resourceType}/${remoteId}`);
    const isHidden = resourceType === 'Patient' && isRestricted(connection, reply);
    const why = isHidden ? reason('patient-restricted') : failed.reason;
    return { kind: 'parked', reason: why };
  }
  if (failed?.class === 'gone') {
    await storeGone(run, resource, link);
    fresh.add(`${resourceType}/${remoteId}`);
    return { kind: 'read', isNews: true };
  }
  if (isCapped) {
    await underLease(run, async (trx) => {
      await holdDocuments(trx, lease.connection);
    });
    return { kind: 'read', isNews: true };
  }
  if (failed !== undefined) {
    const isAlone = isAnswered(reply) && failed.retryAfterMs === undefined;
    return { ...failureOf(failed), isAlone };
  }
  const { versionTag } = reply;
  fresh.add(`${resourceType}/${remoteId}`);
  if (isAsSeen(resource, body, versionTag)) return { kind: 'read', isNews: false };
  await underLease(run, async (trx) => {
    await saveSeen(trx, lease.connection, { resourceType, remoteId, versionTag, body });
  });
  return { kind: 'read', isNews: true };
}

/** A gateway's page counts too: it speaks for what it could not fetch. */
export function isAnswered({ fault, status }: FhirReply | Fault): boolean {
  return (fault === undefined || fault === 'not-json') && status !== 429;
}

/** Nothing is to be stored of a look that shows what the store holds. */
function isAsSeen({ observed }: LaneResource, body: JsonObject, versionTag: string | undefined): boolean {
  return observed?.hash === hashOfSeen(body) && observed.versionTag === versionTag;
}

/** The link follows a patient whom the hospital has merged; undefined: this one stands, alone, or nothing can be told from the answer. */
async function followMerge(
  run: Run,
  resource: LaneResource,
  link: LinkState,
  { reply, body, failed }: OneRead,
  fresh: Set<string>,
): Promise<ReadResult | undefined> {
  const { deps, connection } = run;
  if (failed !== undefined && !saysMerged(connection, reply)) return undefined;
  const found: Survivor =
    failed === undefined ? await survivorOf(connection, link.remoteId, body) : { kind: 'unnamed' };
  if (isFailure(found)) return found;
  if (found.kind === 'same') {
    const former = await standsAgain(connection, resource.client?.merged ?? []);
    if (former === undefined) return undefined;
    deps.wake(await storeUnmerge(run, resource, [former, ...(body ? [body] : [])]));
    return { kind: 'read', isNews: true };
  }
  const survivor = found.kind === 'survivor' ? found.body : undefined;
  deps.wake(await storeMerge(run, resource, link, survivor));
  if (survivor !== undefined) fresh.add(`Patient/${survivor.id}`);
  return { kind: 'read', isNews: true };
}

async function storeGone({ deps, lease }: Run, resource: LaneResource, link: LinkState): Promise<void> {
  await underLease({ deps, lease }, async (trx) => {
    await saveSeen(trx, lease.connection, {
      resourceType: resource.resourceType,
      remoteId: link.remoteId,
      versionTag: undefined,
      body: undefined,
      isGone: true,
    });
  });
}

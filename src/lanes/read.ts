// Looks at linked resources on the server and keeps what was seen. The look itself changes nothing else: absorbing is for the run.

import { classify, type Fault, type FhirReply, issueCodes, type ReplyClass } from '../connections/connections.ts';
import { type Reason, reason } from '../errors.ts';
import type { JsonObject } from '../json.ts';
import { closeObsolete, resourceTopic } from './decisions.ts';
import { holdDocuments } from './documents/editions.ts';
import type { LaneConnection, LaneDeps } from './lane-connection.ts';
import type { LaneResource, LinkState } from './lane-resource.ts';
import { nameOf } from './lane-resource.ts';
import { holdLease, type Lease } from './lease.ts';
import { hashOfSeen, saveGone, saveSeen } from './links.ts';
import { askAboutGone } from './operating/mass-gone.ts';
import { type Survivor, standsAgain, storeMerge, storeUnmerge, survivorOf } from './patients/merged.ts';
import { isRestricted } from './search-failure.ts';

export type ReadResult =
  /** `isNews`: it is not as it was seen before, and what is seen now is stored. */
  | { readonly kind: 'read'; readonly isNews: boolean }
  /** `isAlone`: the server has answered, and may well show the others. */
  | {
      readonly kind: 'again';
      readonly reason: Reason;
      readonly afterMs: number | undefined;
      readonly isAlone?: boolean;
    }
  | { readonly kind: 'config'; readonly reason: Reason }
  /** Nobody may see it, and asking again is no use (ehr-behaviour 6.3). */
  | { readonly kind: 'parked'; readonly reason: Reason };

/** Reads one linked resource. A 404 or 410 is kept as gone and asked about; a failure changes nothing. */
export async function readLinked(
  deps: LaneDeps,
  connection: LaneConnection,
  lease: Lease,
  resource: LaneResource,
  link: LinkState,
  fresh: Set<string>,
): Promise<ReadResult> {
  const { resourceType } = resource;
  const { remoteId } = link;
  const facts = { method: 'GET', kind: 'read', target: { resourceType, id: remoteId } } as const;
  const reply = await connection.client.send({ method: 'GET', path: `${resourceType}/${remoteId}` });
  const result = classify(connection.vendor, facts, reply);
  if (resourceType === 'Patient' && resource.key.type === 'client') {
    const moved = await followMerge(deps, connection, lease, resource, link, reply, result.class, fresh);
    if (moved !== undefined) return moved;
  }
  const isCapped = result.reason?.code === 'server-daily-cap';
  if (result.class === 'denied' || (result.class === 'permanent' && !isCapped)) {
    fresh.add(`${resourceType}/${remoteId}`);
    const isHidden = resourceType === 'Patient' && isRestricted(connection, reply);
    const why = isHidden ? reason('patient-restricted') : (result.reason ?? reason('outcome-unknown'));
    return { kind: 'parked', reason: why };
  }
  if (result.class === 'gone') {
    await storeGone(deps, lease, resource, link);
    fresh.add(`${resourceType}/${remoteId}`);
    return { kind: 'read', isNews: true };
  }
  if (isCapped) {
    await deps.store.tx(async (trx) => {
      await holdLease(trx, lease, deps.leaseMs);
      await holdDocuments(trx, lease.connection);
    });
    return { kind: 'read', isNews: true };
  }
  if (result.class === 'config') return { kind: 'config', reason: result.reason ?? reason('outcome-unknown') };
  if (result.class !== 'ok' || reply.fault !== undefined) {
    const isAlone = isAnswered(reply) && result.retryAfterMs === undefined;
    return { kind: 'again', reason: result.reason ?? reason('outcome-unknown'), afterMs: result.retryAfterMs, isAlone };
  }
  const { body, versionTag } = reply;
  fresh.add(`${resourceType}/${remoteId}`);
  if (isAsSeen(resource, body, versionTag)) return { kind: 'read', isNews: false };
  await deps.store.tx(async (trx) => {
    await holdLease(trx, lease, deps.leaseMs);
    await saveSeen(trx, lease.connection, { resourceType, remoteId, versionTag, body });
    if (resource.isGone) await closeObsolete(trx, lease, [resourceTopic('gone', resource.key)]);
  });
  return { kind: 'read', isNews: true };
}

/** A gateway's page counts too: it speaks for what it could not fetch. */
function isAnswered({ fault, status }: FhirReply | Fault): boolean {
  return (fault === undefined || fault === 'not-json') && status !== 429;
}

/** Nothing is to be stored of a look that shows what the store holds. */
function isAsSeen({ observed }: LaneResource, body: JsonObject | undefined, versionTag: string | undefined): boolean {
  return body !== undefined && observed?.hash === hashOfSeen(body) && observed.versionTag === versionTag;
}

/** The link follows a patient whom the hospital has merged; undefined: this one stands, alone, or nothing can be told from the answer. */
async function followMerge(
  deps: LaneDeps,
  connection: LaneConnection,
  lease: Lease,
  resource: LaneResource,
  link: LinkState,
  reply: FhirReply | Fault,
  replyClass: ReplyClass,
  fresh: Set<string>,
): Promise<ReadResult | undefined> {
  if (reply.fault !== undefined) return undefined;
  const saysMerged = issueCodes(reply.body).some((code) => connection.vendor.patients.merged.includes(code));
  if (replyClass !== 'ok' && !saysMerged) return undefined;
  const found: Survivor =
    replyClass === 'ok' ? await survivorOf(connection, link.remoteId, reply) : { kind: 'unnamed' };
  if (found.kind === 'again') return found;
  if (found.kind === 'same') {
    const former = await standsAgain(connection, resource.client?.merged ?? []);
    if (former === undefined) return undefined;
    deps.wake(await storeUnmerge(deps, connection, lease, resource, link, [former, reply.body ?? {}]));
    return { kind: 'read', isNews: true };
  }
  const survivor = found.kind === 'survivor' ? found.body : undefined;
  deps.wake(await storeMerge(deps, connection, lease, resource, link, survivor));
  if (survivor !== undefined) fresh.add(`Patient/${survivor.id}`);
  return { kind: 'read', isNews: true };
}

async function storeGone(deps: LaneDeps, lease: Lease, resource: LaneResource, link: LinkState): Promise<void> {
  await deps.store.tx(async (trx) => {
    await holdLease(trx, lease, deps.leaseMs);
    await saveSeen(trx, lease.connection, {
      resourceType: resource.resourceType,
      remoteId: link.remoteId,
      versionTag: undefined,
      body: undefined,
    });
    await saveGone(trx, lease.connection, resource.resourceType, link.remoteId);
    // Asked once: a person may have answered that it is to stay gone.
    if (link.origin !== 'found' && resource.leave === undefined && !resource.isGone) {
      await askAboutGone(trx, lease, resource, {
        kind: 'remote-gone',
        topic: resourceTopic('gone', resource.key),
        key: resource.key,
        reason: reason('remote-gone', { target: nameOf(resource.key) }),
        detail: { resourceType: resource.resourceType, id: link.remoteId },
        choices: [
          ...(link.origin === 'created'
            ? [{ choose: 'recreate', effect: 'Make it again as a new resource on the server.' }]
            : []),
          { choose: 'leave', effect: 'Leave it gone; nothing more is sent for it.' },
        ],
      });
    }
  });
}

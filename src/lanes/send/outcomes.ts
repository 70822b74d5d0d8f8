// Stores what came of a send: links, bases and what was seen, in one transaction under the fence. Tells the run how to go on.

import type { Transaction } from 'kysely';
import { versionTagOf } from '../../connections/connections.ts';
import { type Reason, reason } from '../../errors.ts';
import { isObject, type Json } from '../../json.ts';
import type { Facts } from '../../mapping/mapping.ts';
import type { Database } from '../../store/store.ts';
import { saysAll } from '../absorb/bases.ts';
import { askedKey } from '../cancel-question.ts';
import { doubled, openDecision } from '../decisions/decisions.ts';
import { holdDocuments, keepFiled } from '../documents/editions.ts';
import type { Run } from '../lane-connection.ts';
import { type LaneResource, nameOf } from '../lane-resource.ts';
import type { LaneKey, Lease } from '../lease.ts';
import type { LinkUpdate, NewLink } from '../links/links.ts';
import { hashOfSeen, type SeenResource } from '../links/seen.ts';
import { saveStates } from '../links/states.ts';
import { wakeWaiting } from '../links/waiting.ts';
import { raiseWanted } from '../links/wanted.ts';
import type { LaneRows } from '../load/lane-rows.ts';
import { carriedOver, storeWriting, type Writing } from '../load/written-rows.ts';
import { withFact } from '../merge.ts';
import { elementTopic } from '../plan.ts';
import { isListed, listRecalled } from './list-recalled.ts';
import { type ClosedOperation, endSending } from './operations.ts';
import type { WriteOutcome } from './send.ts';

export interface StoredOutcomes {
  /** With which the run may go on; undefined: they are to be read anew. */
  readonly rows: LaneRows | undefined;
  readonly woken: readonly LaneKey[];
  /** Slots that were refused, with the reason: they rest, the others go on. */
  readonly refused: ReadonlyMap<string, Reason>;
  /** A transaction failed as a whole: its parts go once as single requests. */
  readonly goSingly: boolean;
  /** A document may not be amended: its edition goes as a new one. */
  readonly amendRefused: boolean;
  /** Somebody wrote in between: read again, merge, write again. */
  readonly hadConflict: boolean;
  /** A reason to end the run and come back. */
  readonly again: { readonly reason: Reason; readonly afterMs: number | undefined } | undefined;
  /** The connection itself is at fault. */
  readonly config: Reason | undefined;
}

export async function storeOutcomes(
  { deps, lease }: Run,
  rows: LaneRows,
  answered: readonly WriteOutcome[],
): Promise<StoredOutcomes> {
  const outcomes = answered.map(toBeLookedUp);
  const writing = writingOf(outcomes);
  // What is one statement needs no transaction around it.
  const { written, woken } =
    writing.links.length === 0 && outcomes.every(isPlain)
      ? { written: await deps.store.once((db) => storeWriting(db, lease, deps.leaseMs, writing)), woken: [] }
      : await deps.store.tx(async (trx) => ({
          written: await storeWriting(trx, lease, deps.leaseMs, writing),
          woken: await storeRest(trx, lease, outcomes, writing),
        }));
  const refusals = outcomes.filter((outcome) => isRefused(outcome) && !isRefusedAmendment(outcome));
  const singles = refusals.filter(({ inTransaction }) => !inTransaction);
  const faulty = outcomes.find((outcome) => outcome.class === 'config');
  const later = outcomes.find((outcome) => laterClasses.includes(outcome.class) && !isCapped(outcome));
  return {
    woken,
    rows: outcomes.every(isPlain) ? carriedOver(rows, written) : undefined,
    refused: new Map(singles.map((outcome) => [nameOf(outcome.intent.write.resource.key), whyOf(outcome)])),
    goSingly: outcomes.some((outcome) => outcome.inTransaction && (isRefused(outcome) || outcome.class === 'conflict')),
    amendRefused: outcomes.some(isRefusedAmendment),
    hadConflict: outcomes.some((outcome) => outcome.class === 'conflict'),
    again: later === undefined ? undefined : { reason: whyOf(later), afterMs: later.retryAfterMs },
    config: faulty === undefined ? undefined : whyOf(faulty),
  };
}

/** Its document is held until the server's next day; the rest of the lane goes on. */
function isCapped({ reason: why }: Pick<WriteOutcome, 'reason'>): boolean {
  return why?.code === 'server-daily-cap';
}

const laterClasses = ['retry-now-once', 'retry-backoff', 'unknown-outcome'];

function whyOf(outcome: WriteOutcome): Reason {
  return outcome.reason ?? reason('outcome-unknown');
}

function isRefused(outcome: WriteOutcome): boolean {
  if (outcome.class === 'gone') return outcome.inTransaction;
  return outcome.class === 'permanent' || outcome.class === 'denied' || isSeveralMatches(outcome);
}

function isRefusedAmendment({ class: result, intent: { write } }: WriteOutcome): boolean {
  return result === 'permanent' && write.kind === 'update' && write.edition !== undefined;
}

/** The server holds our identifier more than once already: writing a third is no cure. */
function isSeveralMatches({ reason: why, inTransaction }: WriteOutcome): boolean {
  return why?.code === 'server-several-matches' && !inTransaction;
}

/** The server does not say what stands against it: it may be ours that it holds already. */
function toBeLookedUp(outcome: WriteOutcome): WriteOutcome {
  const { class: result, intent, inTransaction } = outcome;
  const isClash = result === 'conflict' && intent.write.kind === 'create' && !inTransaction;
  return isClash && !isSeveralMatches(outcome) ? { ...outcome, class: 'unknown-outcome' } : outcome;
}

/**
 * A create that was refused because its patient was merged: the client's lane reads them again, and where the link moves, the lanes of the client
 * are wanted anew (ehr-behaviour E20).
 */
async function lookAgainAtPatients(
  trx: Transaction<Database>,
  lease: Lease,
  outcomes: readonly WriteOutcome[],
): Promise<LaneKey[]> {
  const lost = outcomes.filter(({ isAboutMerged }) => isAboutMerged === true);
  const clients = lost.flatMap(({ intent }) => {
    const id = intent.write.resource.record?.clientId;
    return typeof id === 'string' ? [`${lease.source}.client.${id}`] : [];
  });
  const lanes = [...new Set(clients)].map((subject) => ({ connection: lease.connection, subject }));
  await raiseWanted(trx, lanes, { reread: true, priority: 10 });
  return lanes;
}

function isRecall({ class: result, intent: { write } }: WriteOutcome): boolean {
  return result === 'ok' && write.kind === 'retire' && write.edition === undefined && isListed(write.resource);
}

/** Done, and with nothing to be said of it but what the link and the look tell. */
function isPlain({ class: result, intent: { write } }: WriteOutcome): boolean {
  return result === 'ok' && write.edition === undefined && write.kind !== 'retire';
}

function writingOf(outcomes: readonly WriteOutcome[]): Writing {
  const written = outcomes.flatMap((outcome) => writtenOf(outcome) ?? []);
  return {
    closed: outcomes.flatMap((outcome) => closing(outcome) ?? []),
    looks: written.map(({ look }) => look),
    links: written.flatMap(({ resource, link }) => (link === undefined ? [] : [[resource, link] as const])),
    changes: written.flatMap(({ resource, change }) => (change === undefined ? [] : [[resource, change] as const])),
  };
}

/** @returns the lanes to wake after the commit */
async function storeRest(
  trx: Transaction<Database>,
  lease: Lease,
  outcomes: readonly WriteOutcome[],
  { links }: Writing,
): Promise<LaneKey[]> {
  const woken =
    links.length === 0
      ? []
      : await wakeWaiting(
          trx,
          lease,
          links.map(([{ key }]) => key),
        );
  if (outcomes.every(isPlain)) return woken;
  await endSending(
    trx,
    outcomes.flatMap((outcome) =>
      closing(outcome) === undefined ? [{ id: outcome.intent.operationId, reason: whyOf(outcome) }] : [],
    ),
  );
  const refused = outcomes.filter(
    (outcome) => isRefused(outcome) && !outcome.inTransaction && !isRefusedAmendment(outcome),
  );
  const parked = refused.map((one) => ({ resource: one.intent.write.resource, state: 'parked', reason: whyOf(one) }));
  await saveStates(trx, lease, parked);
  for (const outcome of outcomes) {
    const { resource } = outcome.intent.write;
    if (isSeveralMatches(outcome)) {
      await openDecision(trx, lease, doubled(resource.key, resource.resourceType, [], whyOf(outcome)));
    }
  }
  for (const { class: result, reason: why, remoteId, intent } of outcomes) {
    const { resource, edition } = intent.write;
    if (edition === undefined) continue;
    if (result === 'ok' && remoteId !== undefined) await keepFiled(trx, lease, resource, remoteId, edition);
    if (isCapped({ reason: why })) await holdDocuments(trx, lease.connection);
  }
  if (outcomes.some(isRecall)) await listRecalled(trx, lease);
  return [...woken, ...(await lookAgainAtPatients(trx, lease, outcomes))];
}

/** Undefined: the outcome stays unknown, and the intent open. */
function closing(outcome: WriteOutcome): ClosedOperation | undefined {
  const { intent, class: result, status, reason: why, requestId } = outcome;
  const id = intent.operationId;
  if (outcome.mayBeDone === true) return undefined;
  switch (result) {
    case 'ok':
      return { id, outcome: 'ok', status, requestId };
    case 'unknown-outcome':
      return undefined;
    case 'conflict':
      return { id, outcome: 'conflict', status, reason: why, requestId };
    case 'permanent':
    case 'denied':
      return { id, outcome: 'refused', status, reason: why, requestId };
    case 'gone':
    case 'config':
    case 'retry-backoff':
    case 'retry-now-once':
      return { id, outcome: 'not-done', status, reason: why, requestId };
    default:
      return result satisfies never;
  }
}

interface Written {
  readonly resource: LaneResource;
  readonly look: SeenResource;
  readonly link?: NewLink;
  readonly change?: LinkUpdate;
}

/** What a done write makes of the link; undefined for one that is not known to be done. */
function writtenOf(outcome: WriteOutcome): Written | undefined {
  const { intent, remoteId, body } = outcome;
  const { write } = intent;
  const { resource } = write;
  if (outcome.class !== 'ok' || remoteId === undefined) return undefined;
  const versionTag = outcome.versionTag ?? versionTagOf(body);
  const look = { resourceType: resource.resourceType, remoteId, versionTag, body };
  const seenHash = body === undefined ? undefined : hashOfSeen(body);
  // The links of documents are kept with their editions.
  if (write.edition !== undefined) return { resource, look };
  if (write.kind === 'create') {
    // 200 instead of 201: the server found an earlier one under our identifier, which may hold other people's edits (lanes.md 10).
    const isOld = outcome.status === 200;
    const bases = {
      sent: isOld ? undefined : withReferences(intent.sent, outcome.resolved),
      seen: isOld || body === undefined ? undefined : resource.slot?.facts(body),
      seenHash: isOld ? undefined : seenHash,
      form: resource.slot?.form,
      ...(!isOld && { sentVersion: resource.recordVersion }),
    };
    return { resource, look, link: { remoteId, origin: 'created', versionTag, ...bases } };
  }
  if (write.kind === 'retire') return { resource, look, change: { versionTag, seenHash, retired: true } };
  // What both sides agreed on last is not what the question shows.
  if ('asked' in write)
    return {
      resource,
      look,
      change: { versionTag, seenHash, sent: withFact(write.link.sent ?? {}, askedKey, write.asked) },
    };
  // Of what is theirs most is not as we would say it: what was there, with our answer in it, is what the server holds now.
  const shown = body ?? (resource.link?.origin === 'theirs' ? write.body : undefined);
  const facts = shown && withReferences(resource.slot?.facts(shown) ?? {}, outcome.resolved);
  const seen = facts && keepAsked(resource, facts);
  const isStep = write.kind === 'move' && write.to !== resource.desired?.resource[write.elements.at(-1) ?? ''];
  const sent = sentAfter(resource, isStep ? [] : write.elements, outcome.resolved);
  const isAll = saysAll(resource, sent, withReferences(resource.desired?.facts ?? {}, outcome.resolved));
  const sentVersion = isAll ? resource.recordVersion : undefined;
  return { resource, look, change: { versionTag, seenHash, seen, sent, sentVersion } };
}

/** What a person is being asked about keeps its base, although the write's reply shows it. */
function keepAsked(resource: LaneResource, facts: Facts): Facts {
  const asked = Object.keys({ ...facts, ...resource.link?.seen }).filter((key) =>
    resource.openTopics.has(elementTopic(resource, key)),
  );
  return asked.reduce((result, key) => withFact(result, key, resource.link?.seen?.[key]), facts);
}

function sentAfter(resource: LaneResource, elements: readonly string[], resolved: ReadonlyMap<string, string>): Facts {
  const desired = withReferences(resource.desired?.facts ?? {}, resolved);
  return elements.reduce((sent, key) => withFact(sent, key, desired[key]), resource.link?.sent ?? {});
}

/** Facts that hold placeholders of this send, with the references that the server gave instead. */
function withReferences(facts: Facts, resolved: ReadonlyMap<string, string>): Facts {
  if (resolved.size === 0) return facts;
  return Object.fromEntries(Object.entries(facts).map(([key, fact]) => [key, replaceIn(fact, resolved)]));
}

function replaceIn(value: Json, resolved: ReadonlyMap<string, string>): Json {
  if (typeof value === 'string') return resolved.get(value) ?? value;
  if (Array.isArray(value)) return value.map((item) => replaceIn(item, resolved));
  if (!isObject(value)) return value;
  return Object.fromEntries(Object.entries(value).map(([name, part]) => [name, replaceIn(part, resolved)]));
}

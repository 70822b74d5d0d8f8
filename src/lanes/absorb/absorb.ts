// Stores what settling found: moved bases, changes for the source, questions for people. One transaction, under the fence.

import { isTold } from '../../access/access.ts';
import { contentHash } from '../../fhir/fhir.ts';
import { type JsonObject, objectsAt } from '../../json.ts';
import type { ChangedElement, Database, Transaction } from '../../store/store.ts';
import { cancellationSlot, isAnsweredQuestion } from '../cancel-question.ts';
import { type ChangeLineage, commentsOffered, fieldsOffered, offerPatch } from '../changes.ts';
import { closeObsolete, type DecisionRow, openDecision, resourceTopic } from '../decisions/decisions.ts';
import { isWaiting } from '../inbound/read-abort.ts';
import { commentsByTime, isHeard, joinedComments } from '../inbound/their-comments.ts';
import { type Run, receiverFor } from '../lane-connection.ts';
import { type LaneResource, nameOf } from '../lane-resource.ts';
import { type Lease, underLease } from '../lease.ts';
import { updateLink } from '../links/links.ts';
import type { LaneState } from '../load/load.ts';
import { linkedTargets, resolverOf } from '../look/linked-targets.ts';
import type { ResultsByTask } from '../look/task-results.ts';
import { elementTopic } from '../plan.ts';
import { jointPatch, offeredWith, withFields } from './both-changes.ts';
import { countReverts, keepReverts } from './reverts.ts';
import { settle } from './settle.ts';
import type { SettleContext, Settlement } from './settlement.ts';
import { keepUnmappedBack } from './unmapped.ts';

/** Settles every observed resource of the lane. @returns true when something was stored, so that the lane is to be loaded again. */
export async function absorb(run: Run, state: LaneState, results: ResultsByTask): Promise<boolean> {
  const { lease } = run;
  const context = await settleContext(run, state, results);
  // What shows there may be our own last write, of which nothing is known yet.
  const told = state.resources.filter(({ untold }) => untold === undefined);
  const settlements = told.flatMap((resource) => settle(resource, context) ?? []);
  // Withdrawn here, and gone there or answered: nothing is left to retire but the link. A stranger is asked about first: ours may be in its place.
  const lost = state.resources.filter(
    (resource) =>
      ((resource.isGone && (resource.stranger === undefined || resource.left !== undefined)) ||
        isAnsweredQuestion(resource)) &&
      resource.leave !== undefined &&
      resource.link?.retired === false,
  );
  const orphaned = orphanedTopics(state);
  if (settlements.length + lost.length + orphaned.length === 0) return false;
  await underLease(run, async (trx) => {
    for (const resource of lost) await updateLink(trx, lease, resource, { retired: true });
    await closeObsolete(
      trx,
      lease,
      lost
        .flatMap((resource) => [resourceTopic('gone', resource.key), elementTopic(resource, 'status')])
        .concat(orphaned),
    );
    for (const settlement of settlements) {
      const { resource, sent, seen, seenHash, sentVersion } = settlement;
      const versionTag = resource.observed?.versionTag;
      await updateLink(trx, lease, resource, { sent, seen, seenHash, sentVersion, versionTag });
      await closeObsolete(trx, lease, settlement.obsolete);
      for (const decision of settlement.decisions) await openDecision(trx, lease, decision);
      await keepReverts(trx, lease, settlement.reverts);
      await keepUnmappedBack(trx, lease, resource, settlement.issues, state.holds.unmapped);
    }
    for (const { type, id, record, patch: found, resources, elements } of patchesByRecord(settlements, context)) {
      const patch = type === 'referral' ? await withHeard(trx, lease, id, found) : found;
      const lineage = { mapping: state.basis.mappingVersion, resources };
      await offerPatch(trx, lease, { type, id, body: patch, elements, lineage }, record);
    }
  });
  return true;
}

/** Questions about an element of what is not linked any more: there is nothing left that an answer could change. */
function orphanedTopics({ openDecisions, known }: LaneState): string[] {
  const isLinked = ({ type, record_id: id, slot }: DecisionRow) =>
    known.links.some(
      (link) =>
        link.type === type &&
        link.id === id &&
        link.slot === slot &&
        link.retired_at === null &&
        link.remote_id !== null,
    );
  return openDecisions
    .filter((decision) => typeof decision.detail.element === 'string' && !isLinked(decision))
    .map(({ topic }) => topic);
}

/** The notes of a Task say nothing of messages that were heard and not taken over yet: a list of comments is to hold them, as they were heard last. */
async function withHeard(trx: Transaction<Database>, lease: Lease, id: string, patch: JsonObject): Promise<JsonObject> {
  if (!Array.isArray(patch.comments)) return patch;
  const heard = (await commentsOffered(trx, lease, id)).filter(isHeard);
  return { ...patch, comments: commentsByTime(joinedComments(objectsAt(patch, 'comments'), heard)) };
}

/** One change per record and look: what the resources of one record say together, on top of what its source was offered before. */
function patchesByRecord(
  settlements: readonly Settlement[],
  context: SettleContext,
): {
  type: string;
  id: string;
  record: JsonObject;
  patch: JsonObject;
  resources: ChangeLineage['resources'];
  elements: ChangedElement[];
}[] {
  const byRecord = Map.groupBy(settlements, ({ resource: { key } }) => `${key.type}/${key.id}`);
  return [...byRecord.values()].flatMap((group) => {
    // Nobody holds the record that a refusal is: there is nobody to be told.
    const telling = group.filter(({ patches, resource }) => patches.length > 0 && resource.recordVersion > 0);
    const [first] = telling;
    if (first === undefined) return [];
    const { type, id } = first.resource.key;
    const resources = telling.map(({ resource: { resourceType, link, key }, lineage }) => ({
      resource: `${resourceType}/${link?.remoteId}`,
      slot: key.slot,
      ...lineage,
    }));
    const elements = telling.flatMap(({ resource: { key }, offered }) =>
      offered.map((element) => ({ slot: key.slot, element })),
    );
    const { record = {} } = first.resource;
    const said = withFields(record, context.offeredOf(first.resource));
    const joint = jointPatch(
      said,
      telling.flatMap(({ patches }) => patches),
    );
    return [{ type, id, record, patch: offeredWith(record, said, joint), resources, elements }];
  });
}

async function settleContext(run: Run, state: LaneState, results: ResultsByTask): Promise<SettleContext> {
  const { deps, lease } = run;
  const { config } = run.connection;
  const { baseUrl } = config;
  const changed = state.resources.filter(
    ({ observed, link }) => observed !== undefined && observed.hash !== link?.seenHash,
  );
  const bodies = changed.flatMap(({ observed }) => (observed === undefined ? [] : [observed.body]));
  const targets = await linkedTargets(deps.store, lease, baseUrl, bodies);
  const names = await organizationNames(run, changed);
  const asking = new Set(
    state.resources.flatMap(({ key, link, observed }) => {
      const isTheirs = key.slot === cancellationSlot && link?.origin === 'theirs' && !link.retired;
      return isTheirs && observed !== undefined && isWaiting(observed.body) ? [key.id] : [];
    }),
  );
  const records = new Map(
    changed.flatMap(({ key: { type, id }, record }) => (record === undefined ? [] : [[record, { type, id, record }]])),
  );
  const offered = await fieldsOffered(deps.store.db, lease, state.holds.remoteValues ? [...records.values()] : []);
  const counted = await countReverts(
    deps.store,
    lease,
    changed.map(({ key }) => key),
  );
  return {
    countReverts: counted,
    timeZone: deps.timeZone(lease.source),
    resolve: resolverOf(targets, baseUrl),
    isTold: (recipient) => isTold(recipient, receiverFor(config, lease.source)),
    performerName: ({ record }) => names.get(String(record?.organizationId)),
    offeredOf: ({ key }) => offered.get(`${key.type}/${key.id}`) ?? {},
    resultsOf: ({ key }) => results.get(nameOf(key)) ?? [],
    openQuestion: (topic) => state.openDecisions.find((decision) => decision.topic === topic),
    isAskedByTask: ({ key }) => asking.has(key.id),
    itemId: (text) => `cb-${contentHash(`${lease.connection} ${text}`).slice(0, 16)}`,
  };
}

async function organizationNames(
  { deps, lease }: Run,
  resources: readonly LaneResource[],
): Promise<Map<string, string>> {
  const ids = resources.flatMap(({ record }) =>
    typeof record?.organizationId === 'string' ? [record.organizationId] : [],
  );
  if (ids.length === 0) return new Map();
  const rows = await deps.store.db
    .selectFrom('record')
    .select(['id', 'content'])
    .where('source', '=', lease.source)
    .where('type', '=', 'organization')
    .where('id', 'in', ids)
    .execute();
  return new Map(
    rows.flatMap(({ id, content }) => (typeof content.name === 'string' ? [[id, content.name] as const] : [])),
  );
}

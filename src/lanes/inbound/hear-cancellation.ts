// The requester of a referral that we perform asks, by a Task of its own, to cancel it (closed-loop B3). The lane of the case tells the source once, and ties
// that Task to the referral, by whose end it is answered.

import { reason } from '../../errors.ts';
import { type JsonObject, objectAt, textAt } from '../../json.ts';
import type { CompiledSlot, MappingSet } from '../../mapping/mapping.ts';
import { isEnded, requestIn } from '../../referrals/referrals.ts';
import type { Database } from '../../store/store.ts';
import { type Store, sql, type Transaction } from '../../store/store.ts';
import { askedKey, cancellationSlot, isAnsweredQuestion } from '../cancel-question.ts';
import { offerPatch } from '../changes.ts';
import { openDecision } from '../decisions/decisions.ts';
import type { Run } from '../lane-connection.ts';
import type { LaneResource } from '../lane-resource.ts';
import { type Lease, underLease } from '../lease.ts';
import { saveLinks, updateLink } from '../links/links.ts';
import { hashOfSeen } from '../links/seen.ts';
import type { LaneState } from '../load/load.ts';
import { ownIdentifier } from '../own-identifier.ts';
import { patientsOf } from './about.ts';
import { keepTaken } from './keep-taken.ts';
import { type AbortContext, abortAt, isAbortOf, isByAnother, isWaiting } from './read-abort.ts';

/** @returns true when something was stored, so that the lane is to be loaded again. */
export async function hearCancellation(
  { deps, connection: { config }, lease }: Run,
  mappings: MappingSet,
  { resources, known }: LaneState,
): Promise<boolean> {
  const performed = performedHere(resources, config.baseUrl);
  const slot = mappings.mapping('referral')?.slot(cancellationSlot);
  if (performed.length === 0 || slot === undefined) return false;
  const aborts = (
    await abortsOf(deps.store, lease, [...new Set(performed.flatMap(({ patients }) => patients))])
  ).filter(({ body }) => ownIdentifier(body, deps.identifierSystem) === undefined);
  const steps = performed.flatMap((one) => stepsFor(one, aborts));
  if (steps.length === 0) return false;
  await underLease({ deps, lease }, async (trx) => {
    for (const step of steps) await store(trx, lease, slot, step, nextGeneration(known.links, step.of.resource));
  });
  return true;
}

/** An incoming referral whose Task stands there. */
interface Performing extends AbortContext {
  readonly resource: LaneResource;
  readonly record: JsonObject;
  readonly task: JsonObject;
  /** The Task that asks, as far as one is tied. */
  readonly question: LaneResource | undefined;
}

function performedHere(resources: readonly LaneResource[], baseUrl: string): Performing[] {
  return resources.flatMap((resource) => {
    const { key, link, observed, record, recordVersion } = resource;
    const isPerformed = key.type === 'referral' && key.slot === 'fulfilment' && record?.direction === 'incoming';
    if (!isPerformed || link?.origin !== 'theirs' || link.retired || recordVersion === 0 || observed === undefined)
      return [];
    const question = resources.find(
      (one) => one.key.type === key.type && one.key.id === key.id && one.key.slot === cancellationSlot,
    );
    const patients = patientsOf(observed.body, baseUrl);
    return [{ resource, record, task: observed.body, question, baseUrl, patients }];
  });
}

interface Abort {
  readonly remote_id: string;
  readonly body: JsonObject;
  readonly is_linked: boolean;
  readonly state: string | null;
  /** `{cancelRequest}` where the source was told of it, `{isOthers}` where a person was. */
  readonly offered: JsonObject | null;
}

async function abortsOf({ db }: Store, lease: Lease, patients: readonly string[]): Promise<Abort[]> {
  const { connection, source } = lease;
  if (patients.length === 0) return [];
  const { rows } = await sql<Abort>`
    select s.remote_id, s.body, i.state, i.offered, exists (select 1 from link l where l.connection = s.connection
        and l.resource_type = s.resource_type and l.remote_id = s.remote_id and l.retired_at is null) as is_linked
    from seen s left join inbound i on i.connection = s.connection and i.source = ${source} and i.type = 'none'
      and i.resource_type = s.resource_type and i.remote_id = s.remote_id
    where s.connection = ${connection} and s.patient in (${sql.join(patients)}) and s.resource_type = 'Task' and not s.gone
      and s.body -> 'code' -> 'coding' @> '[{"code": "abort"}]'
      and not exists (select 1 from link l where l.connection = s.connection and l.resource_type = s.resource_type
        and l.remote_id = s.remote_id and l.origin <> 'theirs')
    order by s.body ->> 'authoredOn', s.remote_id`.execute(db);
  return rows;
}

interface Step {
  readonly of: Performing;
  readonly abort: Abort;
  readonly offered?: JsonObject;
  readonly patch?: JsonObject;
  readonly asks?: true;
  readonly links?: true;
  readonly unlinks?: true;
}

function stepsFor(of: Performing, aborts: readonly Abort[]): Step[] {
  const about = aborts.filter(({ body }) => isAbortOf(body, of.task, of));
  const { record, question } = of;
  const known = objectAt(record, 'cancelRequest');
  const isOpen = known !== undefined && known.answeredAt === undefined;
  // Where the Task itself asks too, it has been told of that.
  let isTold = isOpen || isEnded(record) || of.resource.link?.sent?.[askedKey] !== undefined;
  let isFree = question?.link === undefined || question.link.retired || isAnsweredQuestion(question);
  return about.flatMap((abort): Step[] => {
    const { body, offered, state } = abort;
    const isLinked = abort.is_linked && question?.link?.remoteId === abort.remote_id;
    const taken = offered?.cancelRequest === undefined ? undefined : objectAt(offered, 'cancelRequest');
    if (!isWaiting(body)) {
      const isBack = body.status === 'cancelled' || body.status === 'entered-in-error';
      const isTheirs = known === undefined || (isOpen && known.at === taken?.at);
      const isTakenBack = isBack && taken !== undefined && state !== 'refused' && isTheirs && !isEnded(record);
      if (isTakenBack)
        return [{ of, abort, offered: {}, patch: { cancelRequest: null }, ...(isLinked && { unlinks: true }) }];
      return isBack && isLinked ? [{ of, abort, unlinks: true }] : [];
    }
    if (isByAnother(body, of.task, of))
      return offered === null ? [{ of, abort, offered: { isOthers: true }, asks: true }] : [];
    const links = isFree && !abort.is_linked;
    if (links) isFree = false;
    const isNew = offered === null || offered.isOthers === true;
    if (!isNew) return links ? [{ of, abort, links }] : [];
    const request = { ...requestIn(body, abortAt(body)) };
    const isSame = isOpen && known.at === request.at;
    const tells = !isTold;
    isTold = true;
    return [
      {
        of,
        abort,
        offered: tells || isSame ? { cancelRequest: request } : {},
        ...(tells && { patch: { cancelRequest: request } }),
        ...(links && { links }),
      },
    ];
  });
}

function nextGeneration(
  links: readonly { type: string; id: string; slot: string; generation: number }[],
  { key }: LaneResource,
) {
  const own = links.filter(({ type, id, slot }) => type === key.type && id === key.id && slot === cancellationSlot);
  return 1 + Math.max(0, ...own.map(({ generation }) => generation));
}

async function store(
  trx: Transaction<Database>,
  lease: Lease,
  slot: CompiledSlot,
  { of, abort, offered, patch, asks, links, unlinks }: Step,
  generation: number,
): Promise<void> {
  const { resource, question, patients } = of;
  const { id } = resource.key;
  if (patch !== undefined) await offerPatch(trx, lease, { type: 'referral', id, body: patch });
  const taken = { recordId: id, patient: patients[0], resourceType: 'Task', remoteId: abort.remote_id };
  if (offered !== undefined) await keepTaken(trx, lease, taken, { offered });
  if (asks) await openDecision(trx, lease, askedByAnother(of, abort));
  const isInTheWay = links === true && question?.link?.retired === false;
  if (question !== undefined && (unlinks || isInTheWay)) await updateLink(trx, lease, question, { retired: true });
  if (!links) return;
  const facts = slot.facts(abort.body);
  const { recordVersion, route } = resource;
  const key = { type: 'referral', id, slot: cancellationSlot } as const;
  await saveLinks(trx, lease, [
    [
      { key, resourceType: 'Task', nextGeneration: generation, recordVersion, route },
      {
        remoteId: abort.remote_id,
        origin: 'theirs',
        versionTag: undefined,
        sent: facts,
        seen: facts,
        seenHash: hashOfSeen(abort.body),
      },
    ],
  ]);
}

function askedByAnother({ resource, task }: Performing, { remote_id: id, body }: Abort) {
  const requester = (of: JsonObject) => textAt(objectAt(of, 'requester'), 'reference') ?? null;
  return {
    kind: 'inbound',
    topic: `inbound:Task/${id}`,
    key: resource.key,
    reason: reason('cancel-asked-by-another'),
    detail: { resourceType: 'Task', id, requester: requester(body), ofReferral: requester(task) },
    choices: [{ choose: 'seen', effect: 'Nothing is changed on either side, and the source is not told.' }],
  } as const;
}

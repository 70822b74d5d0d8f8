// What every write of a partner is: a new version of a resource, the row that tells who made it, and work for the lane that keeps the referral; all
// in one transaction, so that no poll has to find it.

import { sql, type Transaction } from 'kysely';
import { type Actor, actorName, keepAudit } from '../access/access.ts';
import type { PartnerConfig } from '../config.ts';
import { CasebridgeError } from '../errors.ts';
import { checkBase } from '../fhir/fhir.ts';
import type { JsonObject } from '../json.ts';
import { raiseWanted, saveSeen } from '../lanes/lanes.ts';
import type { Database } from '../store/store.ts';
import { referenceIn } from './referral.ts';
import { type HomeResource, lockResource, storeVersion, tagOf } from './rows.ts';
import { type Visible, visibleTo } from './visible.ts';

export interface Writer {
  readonly trx: Transaction<Database>;
  readonly partner: PartnerConfig;
  readonly by: Actor;
}

/** A Task of the partner, locked, with the order that it is about. */
export interface OwnTask {
  readonly task: Visible;
  readonly order: Visible;
}

/** What is done to a referral goes before back-fill, as a change of its record does. */
const priority = 10;

/** @throws CasebridgeError `resource-not-theirs` */
export async function lockTask({ trx, partner }: Writer, taskId: string): Promise<OwnTask> {
  await lockResource(trx, { partner: partner.id, resourceType: 'Task', id: taskId });
  const [task] = await visibleTo(trx, partner, { type: 'Task', names: [`Task/${taskId}`] });
  const [order] = task === undefined ? [] : await visibleTo(trx, partner, { names: referenceIn(task.body.focus) });
  if (task === undefined || order === undefined)
    throw new CasebridgeError('resource-not-theirs', { resourceType: 'Task' });
  return { task, order };
}

/**
 * @param ifMatch the version that the change was made to, as an entity tag
 * @throws CasebridgeError `version-conflict`
 */
export function checkVersion(resource: HomeResource, ifMatch: string): void {
  const tag = (text: string) => text.trim().replace(/^W\//, '');
  if (tag(ifMatch) !== tag(tagOf(resource)))
    throw new CasebridgeError('version-conflict', { version: resource.version });
}

/** A next version of what a lane keeps, or of what the partner made itself. */
export async function change(writer: Writer, before: Visible, body: JsonObject, action: string): Promise<HomeResource> {
  const { trx, by } = writer;
  checkMade(body);
  const { partner: id, resourceType } = before;
  const version = await storeVersion(trx, {
    partner: id,
    resourceType,
    id: before.id,
    after: before.version,
    writtenBy: actorName(by),
    ownValue: undefined,
    body,
  });
  await keepAudit(trx, { partner: id, by, action, resourceType, ids: [before.id], outcome: 'done' });
  await tell(writer, version, before.subject);
  return version;
}

/** A new resource of the partner's own, which belongs to an order; `isNew` is false where it is there already under the id. */
export async function add(
  writer: Writer,
  order: Visible,
  { id, ...resource }: JsonObject & { id: string; resourceType: string },
): Promise<{ readonly resource: HomeResource; readonly isNew: boolean }> {
  const { trx, partner, by } = writer;
  const { resourceType } = resource;
  const there = await lockResource(trx, { partner: partner.id, resourceType, id });
  if (there !== undefined) return { resource: there, isNew: false };
  const body = { ...resource, basedOn: [{ reference: `ServiceRequest/${order.id}` }] };
  checkMade(body);
  const version = await storeVersion(trx, {
    partner: partner.id,
    resourceType,
    id,
    after: 0,
    writtenBy: actorName(by),
    ownValue: undefined,
    body,
  });
  await keepAudit(trx, { partner: partner.id, by, action: 'create', resourceType, ids: [id], outcome: 'done' });
  await tell(writer, version, order.subject);
  return { resource: version, isNew: true };
}

/**
 * What a poll would do with it. A lane that runs just now may still store what it wrote before: it reads all again. Its row is locked by then, so no
 * other run begins before this is done.
 */
async function tell({ trx, partner }: Writer, version: HomeResource, subject: string | undefined): Promise<void> {
  const { resourceType, id, body } = version;
  const lane = subject ?? (await subjectOfOrder({ trx, partner }, body));
  if (lane !== undefined) {
    await raiseWanted(trx, [{ connection: partner.id, subject: lane }], { priority });
    await trx
      .updateTable('lane')
      .set({ reread: true })
      .where('connection', '=', partner.id)
      .where('subject', '=', lane)
      .where('lease_until', '>', sql<Date>`now()`)
      .execute();
  }
  await saveSeen(trx, partner.id, { resourceType, remoteId: id, versionTag: tagOf(version), body });
}

async function subjectOfOrder(
  { trx, partner }: Pick<Writer, 'trx' | 'partner'>,
  { basedOn }: JsonObject,
): Promise<string | undefined> {
  const names = (Array.isArray(basedOn) ? basedOn : []).flatMap((reference) => referenceIn(reference));
  const [order] = names.length === 0 ? [] : await visibleTo(trx, partner, { names });
  return order?.subject;
}

/** @throws CasebridgeError `resource-refused` */
function checkMade(body: JsonObject): void {
  const issue = checkBase(body).find(({ severity }) => severity === 'error');
  if (issue === undefined) return;
  const { path, rule } = issue;
  throw new CasebridgeError('resource-refused', { resourceType: String(body.resourceType), path, rule });
}

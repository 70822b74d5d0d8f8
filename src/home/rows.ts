// What Casebridge holds for its partners, as rows: the newest version of each resource, and all versions.

import type { Transaction } from 'kysely';
import { isObject, type JsonObject, objectsAt, textAt } from '../json.ts';
import { type Database, json, timeOf } from '../store/store.ts';

/** One resource that is held for one partner. */
export interface HomeKey {
  readonly partner: string;
  readonly resourceType: string;
  readonly id: string;
}

export interface HomeResource extends HomeKey {
  readonly version: number;
  /** With `meta.versionId` and `meta.lastUpdated`. */
  readonly body: JsonObject;
}

export interface NewVersion extends HomeKey {
  /** The version that it follows; 0: it is new. */
  readonly after: number;
  /** `casebridge`, or who of the partner. */
  readonly writtenBy: string;
  /** The value of the identifier that Casebridge gave it. */
  readonly ownValue: string | undefined;
  readonly body: JsonObject;
}

/** Reads the newest version and locks it for the rest of the transaction. */
export async function lockResource(
  trx: Transaction<Database>,
  { partner, resourceType, id }: HomeKey,
): Promise<HomeResource | undefined> {
  const row = await trx
    .selectFrom('home_resource')
    .select(['version', 'body'])
    .where('partner', '=', partner)
    .where('resource_type', '=', resourceType)
    .where('id', '=', id)
    .forUpdate()
    .executeTakeFirst();
  return row && { partner, resourceType, id, version: row.version, body: row.body };
}

/** Stores a version; the row of the one before is locked by the caller. */
export async function storeVersion(trx: Transaction<Database>, one: NewVersion): Promise<HomeResource> {
  const { partner, resourceType, id, writtenBy } = one;
  const version = one.after + 1;
  const at = await timeOf(trx);
  const meta = {
    ...(isObject(one.body.meta) && one.body.meta),
    versionId: String(version),
    lastUpdated: at.toISOString(),
  };
  const body: JsonObject = { ...one.body, resourceType, id, meta };
  const content = { version, at, written_by: writtenBy, body: json(body) };
  const key = { partner, resource_type: resourceType, id };
  if (one.after === 0) {
    await trx
      .insertInto('home_resource')
      .values({ ...key, ...content, own_value: one.ownValue ?? null, based_on: orderOf(body) ?? null })
      .execute();
  } else {
    await trx
      .updateTable('home_resource')
      .set({ ...content, based_on: orderOf(body) ?? null })
      .where('partner', '=', partner)
      .where('resource_type', '=', resourceType)
      .where('id', '=', id)
      .execute();
  }
  await trx
    .insertInto('home_version')
    .values({ ...key, ...content })
    .execute();
  return { partner, resourceType, id, version, body };
}

/** The order that a resource says it is based on, as `ServiceRequest/<id>`. */
function orderOf(body: JsonObject): string | undefined {
  return objectsAt(body, 'basedOn')
    .map((reference) => textAt(reference, 'reference'))
    .find((reference) => reference?.startsWith('ServiceRequest/'));
}

/** The version as an entity tag. */
export function tagOf({ version }: Pick<HomeResource, 'version'>): string {
  return `W/"${version}"`;
}

// Which records of a source the references in resources of a server mean, by the links to it.

import { parseReference } from '../../fhir/fhir.ts';
import { isObject, type Json, type JsonObject } from '../../json.ts';
import type { SlotRef } from '../../mapping/mapping.ts';
import { isRecordType } from '../../records/records.ts';
import type { Store } from '../../store/store.ts';

/** By `Type/id`: rules ask for the resource, whatever version of it is named. */
export async function linkedTargets(
  { db }: Store,
  { connection, source }: { readonly connection: string; readonly source: string },
  baseUrl: string | undefined,
  bodies: readonly JsonObject[],
): Promise<Map<string, SlotRef>> {
  // A URL on another server names somebody else's resource, whatever its id.
  const wanted = new Map(
    bodies.flatMap(literalReferences).flatMap((text) => {
      const parsed = parseReference(text.trim(), baseUrl);
      return parsed === undefined ? [] : [[`${parsed.resourceType}/${parsed.id}`, parsed] as const];
    }),
  );
  if (wanted.size === 0) return new Map();
  const rows = await db
    .selectFrom('link')
    .select(['type', 'id', 'slot', 'resource_type', 'remote_id'])
    .where('connection', '=', connection)
    .where('source', '=', source)
    .where('retired_at', 'is', null)
    .where(({ eb, refTuple, tuple }) =>
      eb(
        refTuple('resource_type', 'remote_id'),
        'in',
        [...wanted.values()].map((one) => tuple(one.resourceType, one.id)),
      ),
    )
    .orderBy('type')
    .orderBy('id')
    .execute();
  return new Map(
    rows
      .toReversed()
      .flatMap(({ type, id, slot, resource_type: resourceType, remote_id: remoteId }) =>
        isRecordType(type) ? [[`${resourceType}/${remoteId}`, { type, id, slot }] as const] : [],
      ),
  );
}

/** The same by a literal reference in whatever spelling. */
export function resolverOf(targets: ReadonlyMap<string, SlotRef>, baseUrl: string | undefined) {
  return (reference: string): SlotRef | undefined => {
    const parsed = parseReference(reference.trim(), baseUrl);
    return parsed && targets.get(`${parsed.resourceType}/${parsed.id}`);
  };
}

/** Every literal reference in it, as it is spelled. */
export function literalReferences(value: Json): string[] {
  if (Array.isArray(value)) return value.flatMap(literalReferences);
  if (!isObject(value)) return [];
  return Object.entries(value).flatMap(([name, part]) =>
    name === 'reference' && typeof part === 'string' ? [part] : literalReferences(part),
  );
}

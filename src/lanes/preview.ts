// Desired FHIR without a server: what records would be, with references as they stand inside one Bundle. Stores nothing.

import { fullUrl, identifierValue } from '../fhir/fhir.ts';
import type { Json, JsonObject } from '../json.ts';
import type { Desired, MappingSet } from '../mapping/mapping.ts';
import type { RecordType } from '../records/records.ts';
import type { Store } from '../store/store.ts';

export interface PreviewInput {
  readonly source: string;
  readonly identifierSystem: string;
  readonly identifierSystems: Readonly<Record<string, string>>;
  readonly mappings: MappingSet;
  readonly records: readonly { readonly type: RecordType; readonly record: JsonObject & { readonly id: string } }[];
}

export interface Projected {
  readonly type: RecordType;
  readonly id: string;
  readonly fullUrl: string;
  readonly desired: Desired;
}

/** Finds a record that is not among those to be projected; undefined where there is none or it is deleted. */
export type FindRecord = (type: RecordType, id: string) => Promise<JsonObject | undefined>;

/** Projects the records; those that they point at are read from the store where the records themselves do not hold them. */
export function projectRecords(store: Store, input: PreviewInput): Promise<Projected[]> {
  return projectWith((type, id) => storedRecord(store, input.source, type, id), input);
}

/** Projects the records; those that they point at are asked of `find` where the records themselves do not hold them. */
export async function projectWith(find: FindRecord, input: PreviewInput): Promise<Projected[]> {
  const known = new Map<string, JsonObject | undefined>(
    input.records.map(({ type, record }) => [`${type}/${record.id}`, record]),
  );
  for (;;) {
    const missing = new Map<string, { type: RecordType; id: string }>();
    const projected = projectKnown(input, known, missing);
    if (missing.size === 0) return projected;
    for (const [key, { type, id }] of missing) known.set(key, await find(type, id));
  }
}

function projectKnown(
  input: PreviewInput,
  known: ReadonlyMap<string, JsonObject | undefined>,
  missing: Map<string, { type: RecordType; id: string }>,
): Projected[] {
  const { source, identifierSystem, identifierSystems, mappings } = input;
  const urlOf = (key: { type: string; id: string }, slot: string) =>
    fullUrl(identifierSystem, identifierValue({ source, ...key }, slot));
  return input.records.flatMap(({ type, record }) => {
    const all = mappings.mapping(type)?.project(record, {
      source,
      identifierSystem,
      identifierSystems,
      record: (otherType, id) => {
        const key = `${otherType}/${id}`;
        if (!known.has(key)) missing.set(key, { type: otherType, id });
        return known.get(key);
      },
      reference: ({ slot, ...key }) => urlOf(key, slot),
    });
    return (all ?? []).map((desired) => ({
      type,
      id: record.id,
      fullUrl: urlOf({ type, id: record.id }, desired.slot),
      desired,
    }));
  });
}

async function storedRecord(store: Store, source: string, type: string, id: string): Promise<JsonObject | undefined> {
  const row = await store.db
    .selectFrom('record')
    .select(['content', 'deleted'])
    .where('source', '=', source)
    .where('type', '=', type)
    .where('id', '=', id)
    .executeTakeFirst();
  return row === undefined || row.deleted ? undefined : row.content;
}

/** The resources as a collection Bundle. */
export function collectionBundle(projected: readonly Projected[]): JsonObject {
  return {
    resourceType: 'Bundle',
    type: 'collection',
    entry: projected.map(({ fullUrl: url, desired }) => ({ fullUrl: url, resource: desired.resource })),
  };
}

/** What could not be carried over, and what base R4 would refuse, record by record. */
export function issuesOf(projected: readonly Projected[]): Json[] {
  return projected.flatMap(({ type, id, desired }) => {
    const where = { type, id, slot: desired.slot };
    const issues = desired.issues.map(({ code, element, pointer, message, at }) => ({
      ...where,
      code,
      element,
      ...(pointer === undefined ? {} : { pointer }),
      message,
      at,
    }));
    const invalid = desired.invalid.map(({ rule, path, message }) => ({
      ...where,
      code: 'invalid',
      element: path,
      message,
      at: rule,
    }));
    return [...issues, ...invalid];
  });
}

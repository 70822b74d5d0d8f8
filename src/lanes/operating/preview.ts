// Desired FHIR without a server: what records would be, with references as they stand inside one Bundle. Stores nothing.

import { type Reason, reason } from '../../errors.ts';
import { fullUrl, identifierValue } from '../../fhir/fhir.ts';
import type { Json, JsonObject } from '../../json.ts';
import type { Desired, MappingSet, Origin, Unsent } from '../../mapping/mapping.ts';
import type { RecordType } from '../../records/records.ts';
import type { Store } from '../../store/store.ts';

export interface PreviewInput {
  readonly source: string;
  readonly identifierSystem: string;
  readonly identifierSystems: Readonly<Record<string, string>>;
  readonly mappings: MappingSet;
  readonly records: readonly { readonly type: RecordType; readonly record: JsonObject & { readonly id: string } }[];
}

/** What one record becomes. */
export interface Projected {
  readonly type: RecordType;
  readonly id: string;
  readonly resources: readonly {
    readonly fullUrl: string;
    readonly desired: Desired;
    readonly lineage: readonly Origin[];
  }[];
  readonly unsent: readonly Unsent[];
}

/** Finds a record that is not among those to be projected; undefined where there is none or it is deleted. */
export type FindRecord = (type: RecordType, id: string) => Promise<JsonObject | undefined>;

/**
 * Projects the records; those that they point at are read from the store where the records themselves do not hold them.
 * @param onRead is told each of these
 */
export function projectRecords(
  store: Store,
  input: PreviewInput,
  onRead?: (type: RecordType, id: string) => void,
): Promise<Projected[]> {
  return projectWith(async (type, id) => {
    const stored = await storedRecord(store, input.source, type, id);
    if (stored !== undefined) onRead?.(type, id);
    return stored;
  }, input);
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
  return input.records.map(({ type, record }) => {
    const explained = mappings.mapping(type)?.explain(record, {
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
    const resources = (explained?.resources ?? []).map(({ desired, lineage }) => ({
      fullUrl: urlOf({ type, id: record.id }, desired.slot),
      desired,
      lineage,
    }));
    return { type, id: record.id, resources, unsent: explained?.unsent ?? [] };
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

/** Why a record makes no resource; undefined: it makes one. */
export function whyNothing({ type, resources }: Projected, mappings: MappingSet): Reason | undefined {
  if (resources.length > 0) return undefined;
  const unsent = mappings.mapping(type)?.unsent;
  return unsent === undefined
    ? reason('record-makes-nothing', { recordType: type })
    : reason('route-unsent', { recordType: type, why: unsent.why });
}

/** The resources as a collection Bundle. */
export function collectionBundle(projected: readonly Projected[]): JsonObject {
  return {
    resourceType: 'Bundle',
    type: 'collection',
    entry: bundleEntries(projected),
  };
}

export function bundleEntries(projected: readonly Projected[]): { fullUrl: string; resource: JsonObject }[] {
  return projected.flatMap(({ resources }) =>
    resources.map(({ fullUrl: url, desired }) => ({ fullUrl: url, resource: desired.resource })),
  );
}

/** Where each element comes from, and what of each record is said nowhere and why. */
export function lineageOf(projected: readonly Projected[], { version }: MappingSet): Json[] {
  return projected.map(({ type, id, resources, unsent }) => ({
    type,
    id,
    mapping: version,
    resources: resources.map(({ fullUrl: url, desired: { slot, resourceType }, lineage }) => ({
      slot,
      resourceType,
      fullUrl: url,
      elements: lineage.map(({ pointers, record, ...origin }) => ({
        ...origin,
        pointers: [...pointers],
        ...(record && { record: { ...record } }),
      })),
    })),
    unsent: unsent.map((one) => ({ ...one })),
  }));
}

/** What could not be carried over, and what base R4 would refuse, record by record. */
export function issuesOf(projected: readonly Projected[]): Json[] {
  const all = projected.flatMap(({ type, id, resources }) => resources.map(({ desired }) => ({ type, id, desired })));
  return all.flatMap(({ type, id, desired }) => {
    const where = { type, id, slot: desired.slot };
    const issues = desired.issues.map(({ code, element, pointer, message, at }) => ({
      ...where,
      code,
      element,
      ...(pointer === undefined ? {} : { pointer }),
      message,
      at,
    }));
    const invalid = desired.invalid.map(({ rule, path, message, at, pointers: [pointer] }) => ({
      ...where,
      code: 'invalid',
      element: path,
      ...(pointer === undefined ? {} : { pointer }),
      rule,
      message,
      at,
    }));
    return [...issues, ...invalid];
  });
}

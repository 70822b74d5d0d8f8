// `map --absorb`: what a server's resources would change in records. A resource with our identifier is laid beside its record where the files hold it;
// any other one shows which record would begin with it.

import { readFile } from 'node:fs/promises';
import { CasebridgeError } from '../errors.ts';
import { parseReference } from '../fhir/fhir.ts';
import { isObject, type Json, type JsonObject } from '../json.ts';
import {
  type AbsorbedElement,
  explainAbsorb,
  type MappingIssue,
  type MappingSet,
  type NotUnderstood,
  type SlotRef,
} from '../mapping/mapping.ts';
import { type CheckedRecord, isRecordType, parseJson } from '../records/records.ts';
import { aligned } from './terminal.ts';

export interface Absorbed {
  readonly resource: string;
  readonly type: string;
  /** Absent: the record would be a new one. */
  readonly id?: string;
  readonly slot: string;
  readonly patch: JsonObject;
  readonly lineage: readonly AbsorbedElement[];
  readonly issues: readonly MappingIssue[];
  readonly notUnderstood: readonly NotUnderstood[];
}

/** A slot of a record; without an id, of one that is not there yet. */
type Place = Omit<SlotRef, 'id'> & { readonly id?: string };

/** The FHIR resources in a file: a Bundle or one resource; undefined for a file of records. */
export async function resourcesIn(file: string): Promise<JsonObject[] | undefined> {
  const whole = parsed(await readFile(file, 'utf8'));
  if (!isObject(whole) || typeof whole.resourceType !== 'string') return undefined;
  if (whole.resourceType !== 'Bundle') return [whole];
  const entries = Array.isArray(whole.entry) ? whole.entry : [];
  return entries.flatMap((entry) => (isObject(entry) && isObject(entry.resource) ? [entry.resource] : []));
}

function parsed(text: string): Json | undefined {
  try {
    return parseJson(text);
  } catch (error) {
    if (error instanceof CasebridgeError) return undefined;
    throw error;
  }
}

/** Lays each resource beside the record that it is of. Pure. */
export function absorbAll(
  mappings: MappingSet,
  records: readonly CheckedRecord[],
  resources: readonly JsonObject[],
): { absorbed: Absorbed[]; unknown: string[] } {
  const places = new Map(
    resources.flatMap((resource) => ownSlot(resource).map((ref) => [nameOf(resource), ref] as const)),
  );
  const resolve = (reference: string): SlotRef | undefined => {
    const read = parseReference(reference);
    return read && places.get(`${read.resourceType}/${read.id}`);
  };
  const unknown: string[] = [];
  const absorbed = resources.flatMap((resource) => {
    const own = places.get(nameOf(resource));
    const found: readonly Place[] = own ? [own] : slotsMaking(mappings, String(resource.resourceType));
    if (found.length === 0) unknown.push(nameOf(resource));
    return found.map(({ type, slot: name, id }): Absorbed => {
      const slot = mappings.mapping(type)?.slot(name);
      if (slot === undefined) throw new CasebridgeError('mapping-slot-unknown', { type, slot: name });
      const record = records.find((one) => one.type === type && one.record.id === id)?.record ?? {};
      const keys = slot.elements.map(({ key }) => key);
      const result = explainAbsorb(slot, keys, resource, record, { resolve });
      return { resource: nameOf(resource), type, ...(id !== undefined && { id }), slot: name, ...result };
    });
  });
  return { absorbed, unknown };
}

/** By our identifier: `source/type/id#slot`. */
function ownSlot(resource: JsonObject): SlotRef[] {
  const identifiers = Array.isArray(resource.identifier) ? resource.identifier : [];
  return identifiers.flatMap((identifier) => {
    const value = isObject(identifier) && typeof identifier.value === 'string' ? identifier.value : '';
    const [, type = '', id, slot] = /^[^/]+\/([^/]+)\/([^/#]+)#([^~]+)/.exec(value) ?? [];
    return id !== undefined && slot !== undefined && isRecordType(type) ? [{ type, id, slot }] : [];
  });
}

function slotsMaking({ mappings }: MappingSet, resourceType: string): Place[] {
  return mappings.flatMap(({ recordType, slots }) =>
    slots.filter((slot) => slot.resourceType === resourceType).map(({ name }) => ({ type: recordType, slot: name })),
  );
}

function nameOf({ resourceType, id }: JsonObject): string {
  return `${String(resourceType)}/${typeof id === 'string' ? id : '?'}`;
}

/** For people: what each element changes. */
export function absorbedLines(absorbed: readonly Absorbed[]): string[] {
  return absorbed.flatMap(({ resource, type, id, slot, patch, lineage, issues, notUnderstood }) => [
    `${resource} -> ${type} ${id ?? '(new)'}, ${slot}${lineage.length === 0 ? ': changes nothing' : ''}`,
    ...aligned(
      lineage.map(({ element, rule, raw, pointers }) => [
        element,
        JSON.stringify(raw),
        `-> ${pointers.join(', ')}`,
        rule,
      ]),
    ).map((line) => `  ${line}`),
    ...(lineage.length === 0 ? [] : [`  patch ${JSON.stringify(patch)}`]),
    ...issues.map(({ at, element, message }) => `  ${at}: ${element}: ${message}`),
    ...unreadLine(notUnderstood),
  ]);
}

function unreadLine(notUnderstood: readonly NotUnderstood[]): string[] {
  const unread = notUnderstood.filter(({ why }) => why === 'no-rule').map(({ element }) => element);
  return unread.length === 0 ? [] : [`  no rule reads ${unread.join(', ')}`];
}

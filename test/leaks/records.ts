// The records of the fixtures with a canary in every text that tells something about a person, and with the fields that the fixtures leave
// out. What stays as it is: ids of ours, closed codes, and what is no text of a person's (zones, languages, units, times of day).

import { isObject, type Json, type JsonObject } from '../../src/json.ts';
import { type Field, fieldTree } from '../../src/records/fields.ts';
import { parseRecord, type RecordType, type StoredRecord } from '../../src/records/records.ts';
import { receivedAt } from '../builders.ts';
import { fixtures } from '../mapping/fixtures.ts';
import type { Canaries } from './canaries.ts';

export interface Planted {
  readonly type: RecordType;
  readonly record: StoredRecord;
}

const now = new Date('2026-06-01T00:00:00Z');

/** The next version of these records: with other canaries, but in the clients, who stay who they are. */
export function nextVersion(canaries: Canaries, records: readonly Planted[], updatedAt: string): Planted[] {
  const clients = records.filter(({ type }) => type === 'client');
  const others = plantedRecords(canaries, updatedAt).filter(({ type }) => type !== 'client');
  return [...clients.map(({ type, record }) => ({ type, record: { ...record, updatedAt } })), ...others];
}

/** Valid records with canaries of their own. */
export function plantedRecords(canaries: Canaries, updatedAt: string): Planted[] {
  const normal = fixtures.filter(({ name }) => name !== 'awkward');
  return normal.map(({ type, name, record: fixture }) => {
    const record = name === 'full' ? completed(type, fixture) : fixture;
    const place = `${type}/${String(record.id)}`;
    const planted = { ...plantedObject(canaries, fieldTree(type), record, place), updatedAt };
    const parsed = parseRecord(type, planted, { now, timeZone: 'America/New_York' });
    if (!parsed.ok) throw new Error(`${place}: ${JSON.stringify(parsed.errors)}`);
    return { type, record: { ...planted, id: parsed.record.id, updatedAt } };
  });
}

function plantedObject(canaries: Canaries, field: Field, value: JsonObject, place: string): JsonObject {
  return Object.fromEntries(
    Object.entries(value).map(([name, child]) => {
      const own = field.fields?.get(name);
      return [name, own === undefined ? child : plantedValue(canaries, own, child, `${place}/${name}`, value)];
    }),
  );
}

function plantedValue(canaries: Canaries, field: Field, value: Json, place: string, around: JsonObject): Json {
  if (Array.isArray(value))
    return value.map((item, at) => plantedValue(canaries, field, item, `${place}/${at}`, around));
  if (isObject(value)) return plantedObject(canaries, field, value, place);
  if (typeof value !== 'string' || isKept(field, place)) return value;
  return plantedText(canaries, field, place, around) ?? value;
}

/** Of a consent the times stay: what it lets go out must go out. The instrument of an assessment decides which answers it must have. */
function isKept({ kind, enum: closed }: Field, place: string): boolean {
  const isConsentTime = place.startsWith('consent/') && (kind === 'date' || kind === 'instant');
  return closed !== undefined || isConsentTime || /^assessment\/[^/]+\/instrument$/.test(place);
}

function plantedText(canaries: Canaries, { kind }: Field, place: string, around: JsonObject): string | undefined {
  switch (kind) {
    case 'line':
    case 'text':
      if (around.kind === 'ssn') return canaries.ssn(place);
      if (around.kind === 'ssn-last4') return undefined;
      if (/\/(phone|fax|number)$/.test(place)) return canaries.phone(place);
      return /\/emails?(\/\d+)?$/.test(place) ? `${canaries.word(place)}@agency.example` : canaries.word(place);
    case 'code':
      return canaries.word(place);
    case 'uri':
      return `https://${canaries.word(place)}.example/ids`;
    case 'e164':
      return canaries.e164(place);
    case 'date':
    case 'partial-date':
      return canaries.day(place);
    case 'instant':
      return `${canaries.day(place)}T12:30:00Z`;
    default:
      return undefined;
  }
}

/** The fixture with each field that it lacks, as far as the record's rules let it stand beside the others. */
function completed(type: RecordType, record: JsonObject): JsonObject {
  let whole = record;
  for (const [name, field] of fieldTree(type).fields ?? []) {
    // What says that it is to go nowhere, or to somebody else.
    if (['deleted', 'missing', 'sensitivity', 'mergedInto'].includes(name)) continue;
    const more = { ...whole, [name]: completedValue(field, whole[name]) };
    if (parseRecord(type, more, { now: receivedAt }).ok) whole = more;
  }
  return whole;
}

function completedValue(field: Field, value: Json | undefined): Json {
  if (field.list) {
    const items = Array.isArray(value) ? value : [completedOne(field, undefined)];
    // One item of a list has all there is; the others stay as the fixture has them.
    return items.map((item, at) => (at === items.length - 1 ? completedOne(field, item) : item));
  }
  return completedOne(field, value);
}

function completedOne(field: Field, value: Json | undefined): Json {
  if (field.kind !== 'object') return value ?? example(field);
  const own = isObject(value) ? value : {};
  const fields = [...(field.fields ?? [])].map(([name, child]) => [name, completedValue(child, own[name])] as const);
  return Object.fromEntries(fields);
}

function example({ kind, enum: closed }: Field): Json {
  const [first] = closed ?? [];
  return first ?? examples[kind] ?? 'x';
}

const examples: Readonly<Record<string, Json>> = {
  id: 'w-ana',
  date: '2026-02-01',
  'partial-date': '2026-02-01',
  instant: '2026-02-01T12:00:00Z',
  time: '09:00',
  'time-zone': 'America/New_York',
  bcp47: 'en',
  uri: 'https://agency.example/ids',
  money: '12.00',
  ucum: 'kg',
  e164: '+15185550142',
  number: 1,
  integer: 1,
  boolean: true,
  connection: 'standard',
  'resource-type': 'Task',
};

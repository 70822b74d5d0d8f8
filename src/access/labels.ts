// Which sensitivity labels count for a record that is to be told to a receiver, and what of the directory it may name there. A label of the client or
// of the case holds for everything about them, and the label of a shelter, a clinic or a program for whatever ties a client to it. Pure.

import { isObject, type Json, type JsonObject, listOf, textAt, textsAt } from '../json.ts';
import type { RecordType } from '../records/records.ts';
import { type ConsentQuestion, type Receiver, recipientsTold } from './consent.ts';

export type FindRecord = (type: RecordType, id: string) => JsonObject | undefined;

/** To whom something is told, and where other records of its source are found: deleted ones too, for as long as they say what they were labelled. */
export interface Telling extends Receiver {
  readonly find: FindRecord;
}

const directoryTypes = ['organization', 'service', 'worker'] as const;
type DirectoryType = (typeof directoryTypes)[number];

/** Entries that many clients' records point at. They tell of no client by themselves, and need no consent. */
export function isDirectoryType(type: string): type is DirectoryType {
  return directoryTypes.some((one) => one === type);
}

/**
 * The single fields that say of the directory where a client is known; they hold the whole record back. A member of a list is left out by itself
 * (`mayName`), but a consent without one of its recipients would be another consent.
 */
const naming: Readonly<Partial<Record<RecordType, readonly (readonly [path: string, DirectoryType])[]>>> = {
  case: [['organizationId', 'organization']],
  consent: [['recipients.organizationId', 'organization']],
  coverage: [['payerId', 'organization']],
  assessment: [['assessorId', 'worker']],
  referral: [
    ['organizationId', 'organization'],
    ['serviceId', 'service'],
    ['requesterOrganizationId', 'organization'],
    ['requestedById', 'worker'],
  ],
  appointment: [
    ['with.organizationId', 'organization'],
    ['with.workerId', 'worker'],
    ['serviceId', 'service'],
    ['transport.providerId', 'organization'],
  ],
  note: [
    ['authorId', 'worker'],
    ['coSigner.workerId', 'worker'],
  ],
};

/**
 * The labels that a consent to the receiver has to name: the record's own, those of its client and its case, and those of the directory entries that it
 * names. What an entry of the receiver's own says of the receiver, the receiver knows.
 */
export function labelsOf(type: RecordType, record: JsonObject, telling: Telling): string[] {
  if (isDirectoryType(type)) return entryLabels(type, textAt(record, 'id') ?? '', telling);
  const told =
    type === 'consent' ? { ...record, recipients: [...recipientsTold(listOf(record.recipients), telling)] } : record;
  const named = (naming[type] ?? []).flatMap(([path, target]) =>
    idsAt(told, path.split('.')).flatMap((id) => entryLabels(target, id, telling)),
  );
  const above = (['client', 'case'] as const).flatMap((parent) => {
    const id = textAt(record, `${parent}Id`);
    const found = id === undefined ? undefined : telling.find(parent, id);
    return found === undefined ? [] : labelsOf(parent, found, telling);
  });
  return [...new Set([...textsAt(record, 'sensitivity'), ...above, ...named])];
}

/** Whether the record may be told. */
export function questionAbout(
  recordType: RecordType,
  record: JsonObject,
  { find, ...asked }: Telling & Omit<ConsentQuestion, 'recordType' | 'sensitivity' | 'recipients' | 'partOf' | 'names'>,
): ConsentQuestion {
  const isRefused = asked.consents.some(({ status }) => status === 'declined');
  const organizations = isRefused ? withWholes(asked.organization, find) : [];
  return {
    ...asked,
    partOf: organizations.slice(1),
    names: organizations.flatMap((id) => {
      const organization = find('organization', id);
      return [textAt(organization, 'name') ?? [], textsAt(organization, 'alternateNames')].flat();
    }),
    recordType,
    sensitivity: labelsOf(recordType, record, { find, ...asked }),
    recipients: listOf(record.recipients),
  };
}

/** The organization, and those that it is a part of. */
function withWholes(id: string | undefined, find: FindRecord, parts: readonly string[] = []): readonly string[] {
  if (id === undefined || parts.includes(id)) return parts;
  return withWholes(textAt(find('organization', id), 'parentId'), find, [...parts, id]);
}

/** @param labels of what names it, as `labelsOf` has them: what the client's consent was asked for */
export function mayName(type: DirectoryType, id: string, labels: readonly string[], telling: Telling): boolean {
  return entryLabels(type, id, telling).every((label) => labels.includes(label));
}

/** The record with all labels that count as its own; the same object where it has them. Those that a consent lists are what it covers, and stay. */
export function withLabels(type: RecordType, record: JsonObject, telling: Telling): JsonObject {
  return type === 'consent' ? record : bearing(record, labelsOf(type, record, telling));
}

/** The case or client that a consent is about, with all labels that the consent itself has to bear: also those of the recipients that it names. */
export function withLabelsOfConsent(about: JsonObject, consent: JsonObject, telling: Telling): JsonObject {
  return bearing(about, labelsOf('consent', { ...consent, sensitivity: [] }, telling));
}

function bearing(record: JsonObject, labels: string[]): JsonObject {
  const own = textsAt(record, 'sensitivity');
  const isSame = labels.length === own.length && labels.every((label) => own.includes(label));
  return isSame ? record : { ...record, sensitivity: labels };
}

/** @param below whose entries led here: a circle of parents ends */
function entryLabels(type: DirectoryType, id: string, telling: Telling, below: readonly string[] = []): string[] {
  const { organization: receiver, find } = telling;
  if (type === 'organization' && (id === receiver || below.includes(id))) return [];
  const entry = find(type, id);
  const parent = textAt(entry, type === 'organization' ? 'parentId' : 'organizationId');
  const above = parent === undefined ? [] : entryLabels('organization', parent, telling, [...below, id]);
  const labels = [...new Set([...textsAt(entry, 'sensitivity'), ...above])];
  if (parent === undefined || parent !== receiver) return labels;
  const known = textsAt(find('organization', parent), 'sensitivity');
  return labels.filter((label) => !known.includes(label));
}

function idsAt(value: Json | undefined, [name, ...rest]: readonly string[]): string[] {
  if (Array.isArray(value)) return value.flatMap((item) => idsAt(item, name === undefined ? [] : [name, ...rest]));
  if (name === undefined) return typeof value === 'string' ? [value] : [];
  return isObject(value) ? idsAt(value[name], rest) : [];
}

// From what a server holds to the records that a source is offered: each as far as the mapping can read it. Fields that no resource says are left out;
// the source completes them when it adopts the record (docs/changes.md). Pure.

import { contentHash } from '../../fhir/fhir.ts';
import { isObject, type Json, type JsonObject, objectAt, objectsAt, textAt } from '../../json.ts';
import type { CompiledSlot, MappingSet, SlotRef } from '../../mapping/mapping.ts';
import { isInstant, type RecordType } from '../../records/records.ts';
import { hashOfSeen } from '../links/seen.ts';
import type { InboundPart } from './rows.ts';

export type Resolve = (reference: string) => SlotRef | undefined;

export interface Proposal {
  readonly record: JsonObject;
  /** Equal as long as nothing but the names of other records has changed. */
  readonly hash: string;
  readonly parts: readonly InboundPart[];
}

export interface ProposeContext {
  readonly connection: string;
  readonly mappings: MappingSet;
  /** IANA: of the source. */
  readonly timeZone: string;
  /** What the references of the resources mean to the source. */
  readonly resolve: Resolve;
  /** The same, where every record has the name under which it would be proposed: for telling whether anything has changed. */
  readonly resolveAsProposed: Resolve;
}

export interface Told {
  readonly type: RecordType;
  readonly id: string;
  /** What the record answers. */
  readonly origin: { readonly resourceType: string; readonly id: string };
  /** The resources that say it, each with the slot that they stand for. */
  readonly resources: readonly { readonly slot: string; readonly body: JsonObject }[];
  /** Fields that are known otherwise, and stand whatever the resources say. */
  readonly fixed: JsonObject;
  /** Fields for which these stand in where the resources say nothing. */
  readonly otherwise?: JsonObject;
  /** Elements that are read; absent: all. */
  readonly elements?: readonly string[];
}

/** Pointers at other records: what they are called there changes with each adoption, and is no news. */
const pointers = ['clientId', 'caseId'];

export function propose(context: ProposeContext, told: Told, updatedAt: string): Proposal {
  const record = read(context, told, context.resolve);
  const compared = read(context, told, context.resolveAsProposed);
  const origin = { connection: context.connection, ...told.origin };
  return {
    record: { ...record, origin, updatedAt },
    hash: contentHash(Object.fromEntries(Object.entries(compared).filter(([name]) => !pointers.includes(name)))),
    parts: told.resources.flatMap(({ slot, body }) => partsIn(context.mappings, told.type, slot, body)),
  };
}

function read({ mappings, timeZone }: ProposeContext, told: Told, resolve: Resolve): JsonObject {
  const { type, id, resources, fixed, otherwise = {}, elements } = told;
  // The direction says whose word each element is, and with it how it is read.
  const seed: JsonObject = { id, ...(type === 'referral' && { direction: 'incoming' }) };
  let record = seed;
  for (const { slot: name, body } of resources) {
    const slot = slotNamed(mappings, type, name);
    const keys = (slot?.elements ?? []).map(({ key }) => key).filter((key) => elements?.includes(key) ?? true);
    const { patch } = slot?.absorb(keys, body, record, { resolve, timeZone }) ?? { patch: {} };
    record = withoutEmpty({ ...record, ...patch });
  }
  return withoutEmpty({ ...otherwise, ...record, ...fixed });
}

/** What a merge patch takes out is not there. */
function withoutEmpty(record: JsonObject): JsonObject {
  return Object.fromEntries(Object.entries(record).filter(([, value]) => value !== null));
}

function slotNamed(mappings: MappingSet, type: RecordType, name: string): CompiledSlot | undefined {
  return mappings.mapping(type)?.slots.find((slot) => slot.name === name);
}

/** What the resource says in a slot, as a later look compares it. */
export function partsIn(mappings: MappingSet, type: RecordType, slot: string, body: JsonObject): InboundPart[] {
  const compiled = slotNamed(mappings, type, slot);
  const { resourceType, id } = body;
  if (compiled === undefined || typeof resourceType !== 'string' || typeof id !== 'string') return [];
  return [{ slot, resourceType, remoteId: id, facts: compiled.facts(body), hash: hashOfSeen(body) }];
}

/** The slot that a resource of this type stands for in a record of that type. */
export function slotFor(mappings: MappingSet, type: RecordType, resourceType: string): string | undefined {
  return mappings.mapping(type)?.slots.find((slot) => slot.resourceType === resourceType)?.name;
}

/** What the mapping reads of a person who is proposed, beside `clientFields`; nothing else of a chart is told. */
export const toldOfPatient = ['birthDate', 'gender', 'address', 'communication'];

/** Fields without which a record says nothing that a source could take. */
const telling: Readonly<Partial<Record<RecordType, readonly string[]>>> = {
  carePlan: ['title'],
  coverage: ['kind'],
  goal: ['statement'],
  hospitalStay: ['kind', 'admittedAt'],
  need: ['domain'],
  note: ['occurredAt'],
};

export function isReadable(type: RecordType, record: JsonObject): boolean {
  return (telling[type] ?? []).every((field) => record[field] !== undefined);
}

export interface ReferralBodies {
  readonly task: JsonObject | undefined;
  readonly order: JsonObject | undefined;
}

/** The fields of an incoming referral that are moves and times, which no lens reads. */
export function referralMoves(
  { task, order }: ReferralBodies,
  status: 'received' | 'accepted' | 'in-progress' | 'on-hold',
  notedAt: string,
): JsonObject {
  const sentAt = [task?.authoredOn, order?.authoredOn].find(isInstant) ?? notedAt;
  const begunAt = [task?.lastModified, objectAt(task, 'meta')?.lastUpdated].find(isInstant) ?? notedAt;
  const steps =
    status === 'received' || status === 'accepted'
      ? []
      : [{ id: 'accepted', status: 'accepted', at: begunAt, reason: 'implied' }];
  const begun = status === 'received' ? [] : [...steps, { id: status, status, at: begunAt }];
  return {
    direction: 'incoming',
    status,
    sentAt,
    receivedAt: notedAt,
    ...(status !== 'received' && { decidedAt: begunAt }),
    history: [
      { id: 'sent', status: 'sent', at: sentAt },
      { id: 'received', status: 'received', at: notedAt },
      ...begun,
    ],
  };
}

/** What stands in where order and Task say nothing: a service in words, and what R4 takes a missing priority for. */
export function referralOtherwise({ task, order }: ReferralBodies, record: JsonObject): JsonObject {
  const isNamed = ['requestedService', 'requestedText', 'serviceId', 'organizationId'].some((name) => name in record);
  const words = [conceptWords(order?.code), textAt(task, 'description'), conceptWords(task?.code)].find(
    (text) => text !== undefined,
  );
  const asker = [objectAt(order, 'requester'), objectAt(task, 'requester')].flatMap(
    (one) => textAt(one, 'display') ?? [],
  );
  return {
    domain: 'other',
    urgency: urgencies[textAt(task, 'priority') ?? ''] ?? 'routine',
    ...(!isNamed && { requestedText: words ?? 'Not said' }),
    ...(asker[0] !== undefined && { requesterContact: { name: asker[0] } }),
  };
}

/** A Task that stands alone tells it too; R4 takes a missing priority for an ordinary one. */
const urgencies: Readonly<Record<string, string>> = { urgent: 'urgent', asap: 'asap', stat: 'emergency' };

export function conceptWords(concept: Json | undefined): string | undefined {
  if (!isObject(concept)) return undefined;
  return (
    textAt(concept, 'text') ?? objectsAt(concept, 'coding').flatMap((coding) => textAt(coding, 'display') ?? [])[0]
  );
}

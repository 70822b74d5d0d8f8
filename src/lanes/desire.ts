// From what a run has read to the resources of its lane: projected, routed, held against consent, with what stands in each one's way.
// Pure: asks `Known` for what it lacks, and is called again when that has been fetched.

import { isDeepStrictEqual } from 'node:util';
import type { Selectable } from 'kysely';
import {
  type ConsentQuestion,
  isDirectoryType,
  isForConsent,
  isTold,
  labelsOf,
  mayName,
  questionAbout,
  type Telling,
  withheldBy,
  withLabels,
} from '../access/access.ts';
import type { Route } from '../connections/connections.ts';
import { type Reason, reason } from '../errors.ts';
import { fullUrl, identifierValue } from '../fhir/fhir.ts';
import { isObject, type Json, type JsonObject, textAt } from '../json.ts';
import type { CompiledSlot, Desired, DesiredReference, MappingSet, SlotRef } from '../mapping/mapping.ts';
import { isRecordType, type RecordType } from '../records/records.ts';
import { cancelRequestOf, finalStatuses, isTaskStatus, isTerminal } from '../referrals/referrals.ts';
import type { Database } from '../store/store.ts';
import { askedAnew, cancellationSlot } from './cancel-question.ts';
import { resourceTopic } from './decisions.ts';
import { documentResource } from './documents/desire-document.ts';
import { withMessages } from './documents/desire-messages.ts';
import { withOwnDocuments } from './documents/desire-own-document.ts';
import { documentSlot, type Edition } from './documents/document.ts';
import { answerNotes, takesNotes } from './inbound/answer-note.ts';
import { originHere } from './inbound/origin.ts';
import { isRefusal } from './inbound/refuse.ts';
import type { Texts } from './inbound/take.ts';
import { type Known, type LinkRow, type RecordRow, type SeenRow, slotKey } from './known.ts';
import { type Abilities, type LaneConnection, receiverFor } from './lane-connection.ts';
import type { LaneMemory } from './lane-memory.ts';
import {
  type LaneResource,
  type LinkState,
  nameOf,
  type Observation,
  type ResourceKey,
  type Wait,
} from './lane-resource.ts';
import type { LaneRecords, LaneRows } from './lane-rows.ts';
import type { Lease } from './lease.ts';
import { movesOn } from './moves-on.ts';
import { type Filed, inItsChart, movedFrom } from './patients/chart.ts';
import { clientHistory } from './patients/patient-link.ts';
import { asideReason } from './set-aside.ts';
import { clientTypes, isShared, referredTo } from './share.ts';

export type DecisionRow = Selectable<Database['decision']>;

/** What one run has learned so far and the store does not hold. */
export interface RunMemory {
  /** `Type/id` of resources read from the server by this run. */
  readonly fresh: Set<string>;
  /** The same of runs before it that yielded: not to be read once more only because all is to be read again. */
  readonly looked: Set<string>;
  /** Slots for which a search found nobody, and the match leases under which it did not. */
  readonly notFound: Map<string, readonly string[]>;
  /** Operations of which a look of this run could not tell what became of them. */
  readonly untold: Set<number>;
  /** Slots that the server refused in this run. */
  readonly refused: Map<string, Reason>;
  /** Linked slots that were to be read in this run, and which the server could not show. */
  readonly unread: Map<string, Reason>;
  /** False once references between new resources are in each other's way: optional ones are then left for an update. */
  placeholders: boolean;
  /** Where documents of a patient, by the server's id, are to be filed; of others it has not been looked for yet. */
  readonly encounters: Map<string, { readonly id: string } | 'none-open'>;
  /** The server has refused to let a document be amended. */
  amendRefused: boolean;
  /** Texts of documents of the other side. */
  readonly texts: Texts;
  /** The mapping of this run; undefined: the active one is still to be asked for. */
  mappings: MappingSet | undefined;
  /** What the lane's records were at the last load. */
  records: LaneRecords | undefined;
  /** What the last load read, with what the run has stored since; undefined: to be read anew. */
  carried: LaneRows | undefined;
  /** What is worked out and may be taken up by another load, of this run or of the lane's next. */
  readonly lane: LaneMemory;
  /** By identifier: each is asked for several times a load, and hashed once. */
  readonly placeholderUrls: Map<string, string>;
}

/** @param wanted the lane's counter as the run found it */
export function newMemory(lane: LaneMemory, wanted?: number): RunMemory {
  const { looked } = lane;
  return {
    fresh: new Set(),
    looked: new Set(looked?.wanted === wanted ? looked?.names : []),
    notFound: new Map(),
    untold: new Set(),
    refused: new Map(),
    unread: new Map(),
    placeholders: true,
    encounters: new Map(),
    amendRefused: false,
    texts: { looks: new Map(), againAt: undefined },
    mappings: undefined,
    records: undefined,
    carried: undefined,
    lane,
    placeholderUrls: new Map(),
  };
}

/** What is known of the documents of the lane's case; only where the vendor takes documents. */
export interface DocumentsHeld {
  /** Oldest first. */
  readonly editions: readonly Edition[];
  /** The patient as seen there. */
  readonly patient: JsonObject | undefined;
  /** The server takes no document before. */
  readonly heldUntil: Date | undefined;
  /** Database time. */
  readonly now: Date;
  /** IANA name. */
  readonly timeZone: string;
}

export interface DesireInput {
  readonly lease: Lease;
  readonly connection: LaneConnection;
  readonly abilities: Abilities;
  readonly mappings: MappingSet;
  readonly identifierSystem: string;
  readonly known: Known;
  readonly seen: ReadonlyMap<string, SeenRow>;
  readonly openDecisions: readonly DecisionRow[];
  /** Slots of operations without an outcome, as `nameOf` makes them. */
  readonly unknown: ReadonlySet<string>;
  /** What persons have said about who the client of the lane is; newest first. */
  readonly patientAnswers: readonly DecisionRow[];
  readonly consents: readonly JsonObject[];
  /** Those of the client, where the connection shares referrals only. */
  readonly referrals: readonly JsonObject[];
  /** `YYYY-MM-DD`, in the zone of the lane's source. */
  readonly today: string;
  readonly memory: RunMemory;
  readonly documents: DocumentsHeld | undefined;
}

/** All resources that the lane's records make, and those that it has links to. */
export function desire(input: DesireInput): LaneResource[] {
  let creatable: ReadonlySet<string> | undefined;
  for (;;) {
    const pointed: Pointed = { creatable, isAsked: false };
    const resources = resourcesOf(input, pointed);
    const next = new Set(resources.filter(willExist).map(({ key }) => slotKey(key)));
    const isSettled = !pointed.isAsked || next.size === creatable?.size;
    if (isSettled) return asBefore(input.memory.lane, withDocument(input, resources));
    creatable = next;
  }
}

/** Slots of the lane that will exist when this run has created what it can; undefined: not known yet, any may. */
interface Pointed {
  readonly creatable: ReadonlySet<string> | undefined;
  /** Whether any reference depended on it. */
  isAsked: boolean;
}

/** Each resource as it was at the last load where nothing about it has changed, so that what followed from it need not be worked out again. */
function asBefore(memory: LaneMemory, now: readonly LaneResource[]): LaneResource[] {
  const resources = now.map((resource) => {
    const before = memory.resources.get(nameOf(resource.key));
    return before !== undefined && isDeepStrictEqual(before, resource) ? before : resource;
  });
  memory.resources = new Map(resources.map((resource) => [nameOf(resource.key), resource]));
  return resources;
}

function withDocument(input: DesireInput, projected: readonly LaneResource[]): LaneResource[] {
  const resources = withMessages(input, projected);
  const document = documentResource(input, resources);
  const own = [...withOwnDocuments(input, resources), ...answerNotes(input, resources)];
  return document === undefined ? own : [...own, document];
}

function willExist(resource: LaneResource): boolean {
  return (
    resource.link === undefined &&
    resource.desired !== undefined &&
    resource.route.route === 'native' &&
    resource.desired.invalid.length === 0 &&
    resource.waits.length === 0 &&
    resource.parked === undefined &&
    resource.untold === undefined &&
    (resource.search === 'none' || resource.search === 'not-found')
  );
}

function resourcesOf(input: DesireInput, pointed: Pointed): LaneResource[] {
  return input.known.own.flatMap((row) => {
    if (!isRecordType(row.type)) return [];
    const { type } = row;
    const projected = project(input, row, type, pointed);
    const links = input.known.links.filter((link) => link.type === type && link.id === row.id);
    const linked = links.filter((link) => isStanding(link) && link.slot !== documentSlot);
    // The question of the other side is there, or is not: nothing of ours is to be seen in its place.
    const isTheirs = (slot: string) => slot === cancellationSlot && row.content.direction === 'incoming';
    const made = projected.filter(({ slot }) => !isTheirs(slot));
    const slots = new Set([...made.map(({ slot }) => slot), ...linked.map(({ slot }) => slot)]);
    return [...slots].map((slot) =>
      resourceFor(
        input,
        row,
        { type, id: row.id, slot },
        projected.find((one) => one.slot === slot),
        links.filter((link) => link.slot === slot),
      ),
    );
  });
}

function isStanding(link: LinkRow): boolean {
  return link.remote_id !== null && link.retired_at === null;
}

function project(input: DesireInput, row: RecordRow, type: RecordType, pointed: Pointed): Desired[] {
  const mapping = input.mappings.mapping(type);
  if (mapping === undefined || row.deleted) return [];
  const { known, lease, connection, memory, identifierSystem } = input;
  const telling = tellingOf(input);
  const isNamed = namesOf(input, type, row.content);
  // An entry of the directory bears its own: what ties a client to it is another record.
  const content = isDirectoryType(type) ? row.content : withLabels(type, row.content, telling);
  const projected = memory.lane.projections.project(
    mapping,
    { ...row, content },
    {
      source: lease.source,
      identifierSystem,
      identifierSystems: connection.config.identifierSystems,
      record: (otherType, id) =>
        isNamed(otherType, id) ? retold(input, otherType, known.record(otherType, id)) : undefined,
      reference: (target) => {
        if (known.isWithdrawn(target) || isOfAnotherClient(input, row, target) || isErrorElsewhere(input, row, target))
          return undefined;
        if (!isNamed(target.type, target.id)) return undefined;
        const link = known.link(target);
        if (link !== undefined) return `${link.resource_type}/${link.remote_id}`;
        if (!memory.placeholders || !known.isOwn(target)) return undefined;
        pointed.isAsked = true;
        const comes = pointed.creatable?.has(slotKey(target)) ?? true;
        return comes ? placeholderFor(input, target, generationAfter(known.links, target)) : undefined;
      },
      isTold: (recipient) => isTold(recipient, telling),
    },
  );
  return projected.map((desired) => withoutReferences(desired, ({ target }) => !isNamed(target.type, target.id)));
}

/** Which directory entries the record may name to the receiver, none that are labelled where it may not go itself; all else it may. */
function namesOf(input: DesireInput, type: RecordType, record: JsonObject): (type: RecordType, id: string) => boolean {
  if (isDirectoryType(type)) return () => true;
  const telling = tellingOf(input);
  const labels = labelsOf(type, record, telling);
  const isWithheld = labels.length > 0 && withheldBy(consentQuestion(input, record, type)) !== undefined;
  const asked = isWithheld ? [] : labels;
  return (target, id) => !isDirectoryType(target) || mayName(target, id, asked, telling);
}

/** Nothing waits for what may not be named. */
function withoutReferences(desired: Desired, isLeftOut: (reference: DesiredReference) => boolean): Desired {
  const references = desired.references.filter((reference) => !isLeftOut(reference));
  return references.length === desired.references.length ? desired : { ...desired, references };
}

/** No referral of one client points at the referral of another, whatever its source says. */
function isOfAnotherClient({ known }: DesireInput, { type, id, content }: RecordRow, target: SlotRef): boolean {
  if (type !== 'referral' || target.type !== type || target.id === id) return false;
  const other = known.record(type, target.id);
  return other !== undefined && other.clientId !== content.clientId;
}

/** What a plan's own text and activities say of other records. */
const retoldTypes: readonly RecordType[] = ['goal', 'intervention', 'need'];

/** What was an error is not pointed at by others as if it stood. */
function isErrorElsewhere({ known }: DesireInput, { type, id }: RecordRow, target: SlotRef): boolean {
  if (!retoldTypes.includes(target.type) || (target.type === type && target.id === id)) return false;
  return known.record(target.type, target.id)?.status === 'entered-in-error';
}

/**
 * Another record as a mapping may speak of it: nothing is told within a plan that was an error, or that may not go to this receiver by itself.
 */
function retold(input: DesireInput, type: RecordType, record: JsonObject | undefined): JsonObject | undefined {
  if (record === undefined) return undefined;
  // Its labels hold for what names it.
  if (type === 'client' || type === 'case') return asTold(input, type, record);
  if (!retoldTypes.includes(type)) return record;
  if (record.status === 'entered-in-error') return undefined;
  return withheldBy(consentQuestion(input, record, type)) === undefined ? record : undefined;
}

function resourceFor(
  input: DesireInput,
  row: RecordRow,
  key: ResourceKey,
  projected: Desired | undefined,
  links: readonly LinkRow[],
): LaneResource {
  const { abilities } = input;
  const { vendor } = input.connection;
  const standing = links.find(isStanding);
  const nextGeneration = generationAfter(links, key);
  const seen = standing === undefined ? undefined : input.seen.get(`${standing.resource_type}/${standing.remote_id}`);
  const filed = projected && standing && filing(input, projected, standing, seen);
  const desired =
    projected === undefined || standing !== undefined
      ? filed && inItsChart(filed)
      : asGeneration(input, key, projected, nextGeneration);
  const slot = slotOf(input, key);
  const resourceType = projected?.resourceType ?? standing?.resource_type ?? '';
  const mirrors = isCopy(input, row.content, resourceType, standing);
  const route = routeFor(input, row, key, resourceType, standing);
  const cancelRequest = asksInTask(input, key) && !mirrors ? cancelRequestOf(row.content) : undefined;
  const link = standing === undefined ? undefined : linkState(standing);
  const observed = seen === undefined ? undefined : observation(seen, input.memory.fresh);
  const aside = asideReason(key, row.version, links);
  const rewritten = vendor.rewrites[resourceType];
  return {
    key,
    resourceType,
    placeholder: placeholderFor(input, key, nextGeneration),
    record: row.content,
    recordVersion: row.version,
    slot,
    desired: desired && mirrors ? asCopy(desired) : desired,
    link,
    nextGeneration,
    observed,
    isGone: seen?.gone ?? false,
    route,
    leave:
      slot === undefined
        ? undefined
        : (leaveCause(row, desired, route) ??
          (filed && !isRefusal(row) ? movedFrom(filed) : undefined) ??
          askedAnew({ key, observed, desired, link }, cancelRequestOf(row.content))),
    // What is theirs is there already, whatever it points at.
    waits: desired === undefined || standing?.origin === 'theirs' ? [] : waitsOf(input, desired),
    isSetAside: aside !== undefined,
    parked:
      aside ??
      searchBlock(input, key, row, standing) ??
      heldBack(input, key, standing) ??
      input.memory.refused.get(nameOf(key)) ??
      parkedReason(input, row, links) ??
      parkedByRule(desired),
    openTopics: new Set(input.openDecisions.flatMap(({ topic }) => (isTopicOf(key, topic) ? [topic] : []))),
    party: row.content.direction === 'incoming' ? 'performer' : 'requester',
    moves: movesOn(vendor),
    ...(rewritten && { rewritten }),
    ...(!abilities.changes(resourceType) && { takesNoChanges: true }),
    ...(mirrors && { isCopy: true }),
    ...holdsOf(input, key),
    ...(cancelRequest && { cancelRequest }),
    search: standing === undefined ? searchState(input, key, row) : 'none',
    ...(key.type === 'client' && { client: clientHistory(links, input.patientAnswers) }),
  };
}

function asksInTask({ connection }: DesireInput, { type, slot }: ResourceKey): boolean {
  return connection.config.cancellation === 'bser' && type === 'referral' && slot === 'fulfilment';
}

/** A Task that we make on a server where it does not live: by configuration, or because its performer is a partner of ours. */
function isCopy(input: DesireInput, record: JsonObject, resourceType: string, standing: LinkRow | undefined): boolean {
  const { task, copiesOf = [] } = input.connection.config;
  if (resourceType !== 'Task' || standing?.origin === 'theirs') return false;
  if (task === 'copy') return true;
  const own = copiesOf.filter(({ source }) => source === input.lease.source);
  return own.some(({ id }) => referredTo(id, [record], (service) => organizationOf(input, service)).length > 0);
}

function organizationOf({ known }: DesireInput, serviceId: string): string | undefined {
  return textAt(known.record('service', serviceId), 'organizationId');
}

/** Whoever finds it there is to see that it is a mirror. */
function asCopy(desired: Desired): Desired {
  const { meta } = desired.resource;
  if (!isObject(meta) || !Array.isArray(meta.tag)) return desired;
  const [ours] = meta.tag;
  const tag = isObject(ours) ? [...meta.tag, { ...ours, code: 'copy' }] : meta.tag;
  return { ...desired, resource: { ...desired.resource, meta: { ...meta, tag } } };
}

/** A rule that parks what it cannot say, instead of leaving it out. */
function parkedByRule(desired: Desired | undefined): Reason | undefined {
  const issue = desired?.issues.find(({ parks }) => parks === true);
  if (issue?.unmapped === undefined) return undefined;
  return reason('code-unmapped', { map: issue.unmapped.conceptMap, pointer: issue.pointer ?? '', at: issue.at });
}

function filing({ known }: DesireInput, desired: Desired, link: LinkRow, seen: SeenRow | undefined): Filed {
  return {
    desired,
    sent: link.sent ?? undefined,
    observed: seen?.body ?? undefined,
    generations: (target) => known.generations(target),
  };
}

/** Undefined when the active mapping does not know the slot: its links stay as they are (lanes.md 16). */
function slotOf(input: DesireInput, key: ResourceKey): CompiledSlot | undefined {
  const mapping = input.mappings.mapping(key.type);
  const template = key.slot.replace(/\[.*$/, '');
  return mapping?.slots.some(({ name }) => name === template) ? mapping.slot(key.slot) : undefined;
}

/** Retired links keep their number; what takes their place is the next generation (lanes.md 17). */
export function generationAfter(links: readonly LinkRow[], { type, id, slot }: SlotRef): number {
  const retired = links.filter(
    (link) => link.type === type && link.id === id && link.slot === slot && link.retired_at !== null,
  );
  return 1 + Math.max(0, ...retired.map(({ generation }) => generation));
}

function generationValue(input: DesireInput, { type, id, slot }: SlotRef, generation: number): string {
  const value = identifierValue({ source: input.lease.source, type, id }, slot);
  return generation === 1 ? value : `${value}~${generation}`;
}

export function placeholderFor(input: DesireInput, target: SlotRef, generation: number): string {
  const { placeholderUrls } = input.memory;
  const value = generationValue(input, target, generation);
  const url = placeholderUrls.get(value) ?? fullUrl(input.identifierSystem, value);
  placeholderUrls.set(value, url);
  return url;
}

/** A replacement must not be taken for what it replaces: its identifier names the generation. */
function asGeneration(input: DesireInput, key: ResourceKey, desired: Desired, generation: number): Desired {
  if (generation === 1) return desired;
  const first = generationValue(input, key, 1);
  const value = generationValue(input, key, generation);
  const rename = (identifier: Json): Json =>
    isObject(identifier) && identifier.value === first ? { ...identifier, value } : identifier;
  const { identifier } = desired.resource;
  const renamed = Array.isArray(identifier)
    ? identifier.map(rename)
    : identifier === undefined
      ? undefined
      : rename(identifier);
  return renamed === undefined ? desired : { ...desired, resource: { ...desired.resource, identifier: renamed } };
}

export function linkState(link: LinkRow): LinkState {
  return {
    generation: link.generation,
    remoteId: link.remote_id ?? '',
    origin: link.origin === 'found' || link.origin === 'theirs' ? link.origin : 'created',
    retired: link.retired_at !== null,
    sent: link.sent ?? undefined,
    seen: link.seen ?? undefined,
    seenHash: link.seen_hash ?? undefined,
    versionTag: link.version_tag ?? undefined,
  };
}

export function observation(seen: SeenRow, fresh: ReadonlySet<string>): Observation | undefined {
  if (seen.body === null || seen.gone) return undefined;
  return {
    body: seen.body,
    versionTag: seen.version_tag ?? undefined,
    hash: seen.hash ?? '',
    isFresh: fresh.has(`${seen.resource_type}/${seen.remote_id}`),
    ...(seen.origin === 'adt' && { isTold: true }),
  };
}

function routeFor(
  input: DesireInput,
  row: RecordRow,
  key: ResourceKey,
  resourceType: string,
  standing: LinkRow | undefined,
): LaneResource['route'] {
  const unasked = key.slot === cancellationSlot && standing === undefined ? notAskedByTask(input, row) : undefined;
  if (unasked !== undefined) return { route: 'off', reason: unasked };
  const listed = input.abilities.routes.find(
    (entry) => entry.recordType === key.type && entry.resourceType === resourceType,
  );
  const route: Route = listed?.route ?? 'off';
  // To look for a client is to tell a server of them.
  const isAnswer = route === 'answer' && (standing?.origin === 'theirs' || resourceType === 'Communication');
  const tells = route === 'native' || route === 'document' || isAnswer || (route === 'read' && key.type === 'client');
  if (!tells) {
    const isUnanswered = route === 'off' && resourceType === 'Task' && standing?.origin === 'theirs';
    return { route, reason: isUnanswered ? answerReason(input, listed?.reason) : listed?.reason };
  }
  if (!isOfReferral(input, row.content, key.type)) return { route: 'withheld', reason: reason('not-referred') };
  const isTheirs = slotOf(input, key)?.owner(row.content) === 'remote';
  const begun = originHere(row.content, input.connection.config.id)?.resourceType === resourceType;
  // A note that answers a document of theirs makes no second one there, by whatever way.
  const isTheirDocument = resourceType === 'DocumentReference' && (standing ? standing.origin === 'theirs' : begun);
  const isMadeThere = route === 'native' && (isTheirs || begun) && key.type !== 'client' && standing === undefined;
  if (isMadeThere || isTheirDocument) return { route: 'read', reason: reason('theirs-to-make') };
  // The refusal of a proposal tells the other side nothing but that.
  if (isRefusal(row)) return { route, reason: listed?.reason };
  const withheld = isDirectoryType(key.type) ? undefined : withheldBy(consentQuestion(input, row.content, key.type));
  const over = withheld ?? overReason(input, row.content, key.type);
  if (over !== undefined) return { route: 'withheld', reason: over };
  return { route, reason: route === 'native' ? undefined : listed?.reason, why: listed?.reason };
}

/** Why no Task of its own asks the performer to cancel; undefined: one does. */
function notAskedByTask(input: DesireInput, { content }: RecordRow): Reason | undefined {
  const { cancellation } = input.connection.config;
  if (cancellation === 'bser') return reason('cancel-in-task');
  if (cancellation === undefined || isCopy(input, content, 'Task', undefined)) return reason('cancel-not-asked');
  return cancelRequestOf(content) === undefined ? reason('cancel-over') : undefined;
}

/** A Task that began there and is not written is answered by a note, or not at all. */
function answerReason({ abilities }: DesireInput, listed: Reason | undefined): Reason | undefined {
  return takesNotes(abilities) ? listed : reason('route-task-off-unanswered');
}

function isOfReferral(input: DesireInput, record: JsonObject, type: RecordType): boolean {
  if (input.connection.config.share === undefined) return true;
  return isShared({ type, record, referred: referredHere(input) });
}

function referredHere(input: DesireInput): JsonObject[] {
  return referredTo(receiverOf(input), input.referrals, (service) => organizationOf(input, service));
}

/**
 * Why nothing new is told of a client whom no open referral to the receiver speaks of any more (closed-loop B4). It is no cause for leaving: what went
 * there while it was needed stays as it is, but that it was an error is told all the same.
 */
function overReason(input: DesireInput, record: JsonObject, type: RecordType): Reason | undefined {
  const tells = clientTypes.some((one) => one === type) && record.status !== 'entered-in-error';
  if (input.connection.config.share === undefined || !tells) return undefined;
  const referred = referredHere(input).filter((referral) => !isOver(input, referral));
  return isShared({ type, record, referred })
    ? undefined
    : reason('referral-over', { organization: receiverOf(input) ?? '' });
}

/** Its source has ended it, and its Task there says so: until then what it points at may have to be sent. */
function isOver({ known }: DesireInput, { id, status }: JsonObject): boolean {
  if (typeof id !== 'string' || !finalStatuses.some((final) => final === status)) return false;
  const target: SlotRef = { type: 'referral', id, slot: 'fulfilment' };
  const link = known.link(target);
  const there = link?.seen?.status;
  return link === undefined ? known.generations(target).length > 0 : isTaskStatus(there) && isTerminal(there);
}

/**
 * Whether a record may go to the receiver that this connection is. One that names another client than the lane's, as while a record is on its way from
 * one client to another, goes by no consent of the lane's client.
 */
export function consentQuestion(input: DesireInput, record: JsonObject, recordType: RecordType): ConsentQuestion {
  const { otherConnections = [] } = input.connection.config;
  const { clientId } = record;
  const isOf = (consent: JsonObject) => typeof clientId !== 'string' || consent.clientId === clientId;
  const consents = input.consents.filter(isOf);
  return questionAbout(recordType, record, { ...tellingOf(input), otherConnections, consents, today: input.today });
}

/** The receiver that this connection is, and what counts for what it may be told. */
function tellingOf({ connection, lease, known }: DesireInput): Telling {
  return { ...receiverFor(connection.config, lease.source), find: (type, id) => known.heldRecord(type, id) };
}

/** The record as it is told to the receiver: with every label that counts for it. */
export function asTold(input: DesireInput, type: RecordType, record: JsonObject): JsonObject {
  return withLabels(type, record, tellingOf(input));
}

/** The receiving organization's record id in the lane's source, where the connection names one. */
export function receiverOf({ connection, lease }: DesireInput): string | undefined {
  return receiverFor(connection.config, lease.source).organization;
}

/** Only a stated cause retires a resource; a changed route or a parked mapping never does (lanes.md 16). */
function leaveCause(
  row: RecordRow,
  desired: Desired | undefined,
  { route, reason: why }: LaneResource['route'],
): Reason | undefined {
  if (row.deleted) return reason('deleted-record');
  if (desired === undefined) return reason('condition-false');
  if (route !== 'withheld' || why === undefined) return undefined;
  if (why.code === 'not-referred') return why;
  return isForConsent(why) ? reason('consent-withdrawn', { recordType: row.type }) : undefined;
}

function waitsOf({ known }: DesireInput, desired: Desired): Wait[] {
  return desired.references
    .filter(({ required, reference }) => required && reference === undefined)
    .map(({ target }) => {
      const isThere = known.record(target.type, target.id) !== undefined;
      const why = reason(isThere ? 'waits-for-link' : 'waits-for-record', { target: nameOf(target) });
      return { target, reason: known.parkedReason(target) ?? why };
    });
}

/**
 * A refused write rests until a cause that may mend it clears the lane's `parked`; a poll alone does not. What the plan has not even tried is worked
 * out anew: it may have been done there by hand.
 */
function parkedReason({ lease }: DesireInput, row: RecordRow, links: readonly LinkRow[]): Reason | undefined {
  if (lease.parked === null) return undefined;
  const parked = links.find(
    ({ state, retired_at, reason: why }) =>
      state === 'parked' && retired_at === null && why?.code !== 'update-not-offered',
  );
  return parked?.record_version === row.version ? (parked.reason ?? undefined) : undefined;
}

/** Patients are searched before they are made; so is a directory entry that carries a number the server may know it by. */
function searchState(input: DesireInput, key: ResourceKey, row: RecordRow): LaneResource['search'] {
  if (input.memory.notFound.has(nameOf(key))) return 'not-found';
  if (key.type === 'client') return patientSearch(input, row);
  const looksUp =
    (key.slot === 'organization' || key.slot === 'practitioner') &&
    directoryIdentifiers(row.content, input.connection.config.identifierSystems).length > 0;
  return looksUp ? 'pending' : 'none';
}

export const patientTopic = 'patient';

function patientSearch(input: DesireInput, row: RecordRow): LaneResource['search'] {
  if (searchBlock(input, { type: 'client', id: row.id, slot: '' }, row, undefined) !== undefined) return 'blocked';
  const [patientDecision] = input.patientAnswers;
  return patientDecision?.choice === 'create' && isAbout(patientDecision, row) ? 'none' : 'pending';
}

/** A person is being asked, or has said no, about this very version of the client; or it is a duplicate, for whom no patient is looked for or made. */
function searchBlock(
  input: DesireInput,
  key: ResourceKey,
  row: RecordRow,
  standing: LinkRow | undefined,
): Reason | undefined {
  if (key.type !== 'client') {
    const several = input.openDecisions.find(({ topic }) => topic === resourceTopic('several', key));
    return several !== undefined && isAbout(several, row) ? several.reason : undefined;
  }
  const other = textAt(row.content, 'mergedInto');
  if (other !== undefined && standing === undefined) return reason('client-duplicate', { other });
  const open = input.openDecisions.find(({ topic }) => topic === patientTopic);
  if (open !== undefined && isAbout(open, row)) return open.reason;
  const [patientDecision] = input.patientAnswers;
  return patientDecision?.choice === 'leave' && isAbout(patientDecision, row) ? reason('patient-left') : undefined;
}

/** A person is asked about the resource as a whole, and writing it meanwhile is no cure. */
export function heldBack(input: DesireInput, key: ResourceKey, standing: LinkRow | undefined): Reason | undefined {
  const topics = [resourceTopic('contested', key), ...(standing === undefined ? topicsOfCreates(key) : [])];
  return input.openDecisions.find(({ topic }) => topics.includes(topic))?.reason;
}

/** Until it is known what became of its last request: for good where a person is asked about it. And until it can be read. */
export function holdsOf(
  { unknown, openDecisions, memory }: DesireInput,
  key: ResourceKey,
): Pick<LaneResource, 'untold' | 'unread'> {
  const unread = memory.unread.get(nameOf(key));
  const topic = resourceTopic('untold', key);
  const untold = unknown.has(nameOf(key))
    ? (openDecisions.find((decision) => decision.topic === topic)?.reason ?? reason('outcome-unknown'))
    : undefined;
  return { ...(untold && { untold }), ...(unread && { unread }) };
}

/** Our identifier is on several resources there, or the server says that it stores them elsewhere. */
function topicsOfCreates(key: ResourceKey): string[] {
  return [resourceTopic('doubled', key), resourceTopic('elsewhere', key)];
}

/** Whether an open question is about this resource. */
export function isTopicOf(key: ResourceKey, topic: string): boolean {
  const whole = [
    resourceTopic('contested', key),
    resourceTopic('gone', key),
    resourceTopic('several', key),
    resourceTopic('untold', key),
    ...topicsOfCreates(key),
  ];
  return (
    topic.startsWith(`${nameOf(key)}:`) || whole.includes(topic) || (topic === patientTopic && key.type === 'client')
  );
}

function isAbout(decision: DecisionRow, row: RecordRow): boolean {
  return decision.detail.recordVersion === row.version;
}

const npiSystem = 'http://hl7.org/fhir/sid/us-npi';

/** The numbers by which a server may already know an organization or a practitioner. */
export function directoryIdentifiers(
  record: JsonObject,
  identifierSystems: Readonly<Record<string, string>>,
): { system: string; value: string }[] {
  const npi = identifierSystems.npi ?? npiSystem;
  const own = typeof record.npi === 'string' ? [{ system: npi, value: record.npi.trim() }] : [];
  const listed = (Array.isArray(record.identifiers) ? record.identifiers : []).flatMap((item) => {
    if (!isObject(item) || typeof item.kind !== 'string' || typeof item.value !== 'string' || item.kind === 'tax-id')
      return [];
    const system = item.kind === 'npi' ? npi : identifierSystems[item.kind];
    return system === undefined ? [] : [{ system, value: item.value.trim() }];
  });
  return [...own, ...listed];
}

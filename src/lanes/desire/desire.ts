// From what a run has read to the resources of its lane: projected, routed, held against consent, with what stands in each one's way.
// Pure: asks `Known` for what it lacks, and is called again when that has been fetched.

import { isDeepStrictEqual } from 'node:util';
import {
  isDirectoryType,
  isForConsent,
  isTold,
  labelsOf,
  mayName,
  withheldBy,
  withLabels,
  withLabelsOfConsent,
} from '../../access/access.ts';
import { type Reason, reason } from '../../errors.ts';
import { isObject, type Json, type JsonObject } from '../../json.ts';
import type { CompiledSlot, Desired, DesiredReference, SlotRef } from '../../mapping/mapping.ts';
import { isRecordType, type RecordType } from '../../records/records.ts';
import { cancelRequestOf } from '../../referrals/referrals.ts';
import { isOfOtherForm, rebased } from '../absorb/bases.ts';
import { askedAnew, cancellationSlot } from '../cancel-question.ts';
import { type DecisionRow, resourceTopic } from '../decisions/decisions.ts';
import { asideReason, leftReason } from '../decisions/set-aside.ts';
import { documentResource } from '../documents/desire-document.ts';
import { withMessages } from '../documents/desire-messages.ts';
import { withOwnDocuments } from '../documents/desire-own-document.ts';
import { documentSlot } from '../documents/document.ts';
import { answerNotes } from '../inbound/answer-note.ts';
import { isRefusal } from '../inbound/refuse.ts';
import { type LaneResource, nameOf, type ResourceKey, type Wait } from '../lane-resource.ts';
import type { LaneMemory } from '../load/lane-memory.ts';
import { ownValue } from '../own-identifier.ts';
import { chartOf, type Filed, inItsChart, isPatientOf, movedFrom } from '../patients/chart.ts';
import { directoryIdentifiers } from '../patients/match.ts';
import { type Duplicate, duplicateIn } from '../patients/merged-into.ts';
import { besideOthers } from '../patients/own-participant.ts';
import { clientHistory, patientTopic } from '../patients/patient-link.ts';
import { type DesireInput, slotOf } from './desire-input.ts';
import { isStanding, type LinkRow, type RecordRow, type SeenRow, waitFor } from './known.ts';
import { generationAfter, linkState, observation, placeholderFor } from './link-state.ts';
import { movesOn } from './moves-on.ts';
import { pastKey } from './past-records.ts';
import { Projections } from './projections.ts';
import { heldBack, holdsOf, isTopicOf } from './questions.ts';
import { isCopy, routeFor } from './route-for.ts';
import { strangerAt } from './still-ours.ts';
import { asTold, consentQuestion, tellingOf } from './told.ts';

/** All resources that the lane's records make, and those that it has links to. */
export function desire(input: DesireInput): LaneResource[] {
  let creatable: ReadonlySet<string> | undefined;
  for (;;) {
    const pointed: Pointed = { creatable, isAsked: false };
    const resources = resourcesOf(input, pointed);
    const next = new Set(resources.filter(willExist).map(({ key }) => nameOf(key)));
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
        (content) =>
          project(input, { ...row, content }, type, pointed, new Projections()).find((one) => one.slot === slot),
      ),
    );
  });
}

function project(
  input: DesireInput,
  row: RecordRow,
  type: RecordType,
  pointed: Pointed,
  projections: Projections = input.memory.lane.projections,
): Desired[] {
  const mapping = input.mappings.mapping(type);
  if (mapping === undefined || row.deleted) return [];
  const { known, lease, connection, memory, identifierSystem } = input;
  const telling = tellingOf(input);
  const isNamed = namesOf(input, type, row.content);
  // An entry of the directory bears its own: what ties a client to it is another record.
  const content = isDirectoryType(type) ? row.content : withLabels(type, row.content, telling);
  const projected = projections.project(
    mapping,
    { ...row, content },
    {
      source: lease.source,
      identifierSystem,
      identifierSystems: connection.config.identifierSystems,
      record: (otherType, id) =>
        isNamed(otherType, id) ? retold(input, row, otherType, known.record(otherType, id)) : undefined,
      reference: (target) => {
        if (known.isWithdrawn(target) || isOfAnotherClient(input, row, target) || isErrorElsewhere(input, row, target))
          return undefined;
        if (!isNamed(target.type, target.id)) return undefined;
        const link = known.link(target);
        if (link !== undefined) {
          const there = `${link.resource_type}/${link.remote_id}`;
          const own = known.links.filter((one) => one.type === type && one.id === row.id);
          return known.isGone(link) && !own.some((one) => pointsAt(one, there)) ? undefined : there;
        }
        if (!memory.placeholders || !known.isOwn(target)) return undefined;
        pointed.isAsked = true;
        const comes = pointed.creatable?.has(nameOf(target)) ?? true;
        return comes ? placeholderFor(input, target, generationAfter(known.links, target)) : undefined;
      },
      isTold: (recipient) => isTold(recipient, telling),
    },
  );
  return projected.map((desired) => withoutReferences(desired, ({ target }) => !isNamed(target.type, target.id)));
}

/** What points there already, as it was sent, goes on doing so. */
function pointsAt({ retired_at, sent }: LinkRow, there: string): boolean {
  return retired_at === null && JSON.stringify(sent).includes(`"${there}"`);
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
function retold(
  input: DesireInput,
  by: RecordRow,
  type: RecordType,
  record: JsonObject | undefined,
): JsonObject | undefined {
  if (record === undefined) return undefined;
  // Its labels hold for what names it.
  if (type === 'client' || type === 'case')
    return by.type === 'consent'
      ? withLabelsOfConsent(record, by.content, tellingOf(input))
      : asTold(input, type, record);
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
  projectedFrom: (content: JsonObject) => Desired | undefined,
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
  const slot = readingSlot(input, row, key, standing, seen);
  const resourceType = projected?.resourceType ?? standing?.resource_type ?? '';
  const mirrors = isCopy(input, row.content, resourceType, standing);
  const route = routeFor(input, row, key, resourceType, standing);
  const cancelRequest = asksInTask(input, key) && !mirrors ? cancelRequestOf(row.content) : undefined;
  const openTopics = new Set(input.openDecisions.flatMap(({ topic }) => (isTopicOf(key, topic) ? [topic] : [])));
  const rewritten = vendor.rewrites[resourceType];
  const shown = seen && observation(seen, input.memory.fresh);
  const kept = standing === undefined ? undefined : linkState(standing);
  const wantedThen = (): Desired | undefined => {
    if (kept?.sentVersion === row.version) return desired;
    const content = input.past.get(pastKey(row, kept?.sentVersion));
    const then = content && projectedFrom(content);
    return then && filed && inItsChart({ ...filed, desired: then });
  };
  const link =
    kept === undefined || slot === undefined || desired === undefined || shown === undefined
      ? kept
      : rebased({
          ...{ key, slot, openTopics, rewritten, record: row.content },
          ...{ link: kept, observed: shown, desired },
          wanted: isOfOtherForm(kept, slot) ? wantedThen() : undefined,
        });
  const stranger = link && seen && strangerAt(input, row, { key, link, slot, desired, seen });
  const observed = stranger === undefined ? shown : undefined;
  const left = leftReason(key, standing);
  const aside = asideReason(key, row.version, links);
  const duplicate = key.type === 'client' ? duplicateOf(input, row) : undefined;
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
    isGone: stranger !== undefined || (seen?.gone ?? false),
    ...(stranger && { stranger }),
    ...(left && { left }),
    route,
    leave:
      slot === undefined
        ? undefined
        : (leaveCause(row, desired, route) ??
          (filed && !isRefusal(row) ? movedFrom(filed) : undefined) ??
          askedAnew({ key, observed, desired, link }, cancelRequestOf(row.content))),
    // What is theirs is there already, whatever it points at.
    waits: desired === undefined || standing?.origin === 'theirs' ? [] : waitsOf(input, desired, standing),
    isSetAside: aside !== undefined,
    parked:
      aside ??
      searchBlock(input, key, row, standing) ??
      heldBack(input, key, standing) ??
      input.memory.refused.get(nameOf(key)) ??
      parkedReason(input, row, links) ??
      parkedByRule(desired),
    openTopics,
    party: row.content.direction === 'incoming' ? 'performer' : 'requester',
    moves: movesOn(vendor),
    ...(rewritten && { rewritten }),
    ...(!abilities.changes(resourceType) && { takesNoChanges: true }),
    ...(mirrors && { isCopy: true }),
    ...holdsOf(input, key),
    ...(cancelRequest && { cancelRequest }),
    search: standing === undefined ? searchState(input, key, row) : 'none',
    ...(key.type === 'client' && { client: clientHistory(links, input.patientAnswers) }),
    ...(duplicate && { duplicate }),
  };
}

/** Of the patients who take part in what the server shows, the client alone is for the mapping to read. */
function readingSlot(
  input: DesireInput,
  { content }: RecordRow,
  key: ResourceKey,
  standing: LinkRow | undefined,
  seen: SeenRow | undefined,
): CompiledSlot | undefined {
  const slot = slotOf(input, key);
  if (slot === undefined || !seen?.body) return slot;
  const sent = chartOf(standing?.sent ?? undefined);
  return besideOthers(slot, seen.body, {
    isTheClient: (id) => sent === `Patient/${id}` || isPatientOf(input.known, content, id),
    baseUrl: input.connection.config.baseUrl,
  });
}

function asksInTask({ connection }: DesireInput, { type, slot }: ResourceKey): boolean {
  return connection.config.cancellation === 'bser' && type === 'referral' && slot === 'fulfilment';
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

/** A replacement must not be taken for what it replaces: its identifier names the generation. */
function asGeneration(input: DesireInput, key: ResourceKey, desired: Desired, generation: number): Desired {
  if (generation === 1) return desired;
  const { source } = input.lease;
  const first = ownValue(source, key, 1);
  const value = ownValue(source, key, generation);
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

/** @param standing the resource's own link: what it points at already is not waited for, gone or not */
function waitsOf({ known }: DesireInput, desired: Desired, standing: LinkRow | undefined): Wait[] {
  const isLost = (target: SlotRef) => {
    const link = standing === undefined ? known.link(target) : undefined;
    return link !== undefined && known.isGone(link);
  };
  return desired.references
    .filter(({ required, reference, target }) => required && (reference === undefined || isLost(target)))
    .map(({ target }) => waitFor(known, target));
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
  const answer = input.entryAnswers.find(({ topic }) => topic === resourceTopic('several', key));
  return looksUp && !(answer && isToMake(answer, row)) ? 'pending' : 'none';
}

function patientSearch(input: DesireInput, row: RecordRow): LaneResource['search'] {
  if (searchBlock(input, { type: 'client', id: row.id, slot: '' }, row, undefined) !== undefined) return 'blocked';
  const [patientDecision] = input.patientAnswers;
  return patientDecision && isToMake(patientDecision, row) ? 'none' : 'pending';
}

/** A person has said of this very version that it is nothing of what is there. */
function isToMake(answer: DecisionRow, row: RecordRow): boolean {
  return answer.choice === 'create' && isAbout(answer, row);
}

/**
 * A person is being asked, or has said no, about this very version of the client; or whom a linked patient has become, whatever the record says by now.
 * Or it is a duplicate, for whom no patient is looked for or made; of a ring of them none is one.
 */
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
  const duplicate = standing === undefined ? duplicateOf(input, row) : undefined;
  if (duplicate?.isRing === false) return reason('client-duplicate', { other: duplicate.other });
  const open = input.openDecisions.find(({ topic }) => topic === patientTopic);
  if (open !== undefined && (isAbout(open, row) || open.detail.was !== undefined)) return open.reason;
  const [patientDecision] = input.patientAnswers;
  return patientDecision?.choice === 'leave' && isAbout(patientDecision, row) ? reason('patient-left') : undefined;
}

function duplicateOf({ known }: DesireInput, { content }: RecordRow): Duplicate | undefined {
  return duplicateIn(content, (id) => known.record('client', id));
}

function isAbout(decision: DecisionRow, row: RecordRow): boolean {
  return decision.detail.recordVersion === row.version;
}

// The readable document of a case, which carries what a server does not take as resources of its own: whether an edition is to go, when, and
// the DocumentReference that it is (lanes.md 12; closed-loop B8). Pure.

import { isDeepStrictEqual } from 'node:util';
import type { DocumentRules } from '../../connections/connections.ts';
import {
  type DocumentFacts,
  type Frame,
  type Rendered,
  type RetractionFrame,
  renderRetraction,
} from '../../documents/documents.ts';
import { type Reason, reason } from '../../errors.ts';
import { isObject, type Json, type JsonObject } from '../../json.ts';
import { foremost, type LaneResource, type LinkState, type Wait } from '../lane-resource.ts';
import type { Outcome } from '../plan.ts';

/** The slot of the case under which its document is linked; no mapping may have one of this name. */
export const documentSlot = 'document';

/** What a retraction calls a document whose title would tell something of it. */
export const takenBackAs = 'Document of a community agency';

/** One edition that the server holds. */
export interface Edition {
  /** The slot under which it is linked, as `nameOf` makes it. */
  readonly of: string;
  readonly number: number;
  readonly remoteId: string;
  readonly facts: DocumentFacts;
  /** The records that it told of, as `type/id`. */
  readonly records: readonly string[];
  /** In whose chart it is. */
  readonly patientId: string;
  readonly encounter: string | undefined;
  /** ISO instant that it printed. */
  readonly asOf: string;
  readonly sentAt: Date;
  /** It took back the editions before it. */
  readonly retracts: boolean;
}

/** The edition that a write files: stored with its intent, so that it can be found again by its marker. */
export interface EditionPlan {
  readonly number: number;
  readonly marker: string;
  /** LOINC code, by which it is searched; undefined: the vendor's. */
  readonly type: string | undefined;
  readonly asOf: string;
  readonly facts: DocumentFacts;
  readonly records: readonly string[];
  readonly patientId: string;
  readonly encounter: string | undefined;
  readonly retracts: boolean;
}

export interface DocumentContent {
  readonly facts: DocumentFacts;
  readonly records: readonly string[];
}

/** Where a note is filed: not looked for yet, none that is open, none needed, or that one. */
export type Encounter = 'unknown' | 'none-open' | 'not-needed' | { readonly id: string };

/** What kind of document it is. */
export interface DocumentForm {
  /** LOINC. */
  readonly type: { readonly code: string; readonly display?: string };
  readonly title: string;
  /** What a retraction calls it, in words that tell nothing of it; undefined: by its title. */
  readonly takenBackAs?: string;
  /** The literal reference to the document that it adds to. */
  readonly appends?: string;
  render(facts: DocumentFacts, frame: Frame): Rendered;
  /** Undefined: a DocumentReference carries it. */
  readonly message?: MessageForm;
}

/** A series that goes as messages: one posts an edition, a later one corrects or takes back what stands there for good. */
export interface MessageForm {
  takeBack(frame: RetractionFrame): Rendered;
  /** The resource that says an edition. */
  carry(edition: EditionPlan, text: string): JsonObject;
}

export interface DocumentState {
  readonly form: DocumentForm;
  readonly rules: DocumentRules;
  readonly patientId: string | undefined;
  /** Undefined: nothing is to be said, or nothing may be. */
  readonly content: DocumentContent | undefined;
  /** Oldest first. */
  readonly editions: readonly Edition[];
  /** The edition that stands in the chart; undefined when there is none, or the last one was taken back or is gone. */
  readonly current: Edition | undefined;
  readonly encounter: Encounter;
  /** When the next edition may go (`documentDue`). */
  readonly dueAt: Date;
  /** The server takes and shows no documents now (a daily cap). */
  readonly isHeld: boolean;
  /** Another one of the same kind goes before it. */
  readonly isBehind?: boolean;
  /** Why the next edition does not wait. */
  readonly urgent: Reason | undefined;
  /** Database time, which the edition prints. */
  readonly now: Date;
  /** IANA name, for printing. */
  readonly timeZone: string;
  readonly marker: string;
  /** The server has refused to let the document be amended in this run, or takes no changes of documents at all: the edition goes as a new one. */
  readonly amendRefused: boolean;
}

export interface DocumentTimes {
  readonly isUrgent: boolean;
  readonly lastSentAt: Date | undefined;
  /** When records of the case were accepted. */
  readonly acceptedAt: readonly Date[];
  readonly quietMs: number;
  readonly atMostEveryMs: number;
  /** The server takes no document before. */
  readonly heldUntil: Date | undefined;
}

/**
 * When an edition may go: an urgent one at once, another one when the case has been quiet, and not so soon after the last one. A case that
 * is never quiet does not put it off for longer than the time between two editions.
 */
export function documentDue(times: DocumentTimes): Date {
  const { isUrgent, lastSentAt, quietMs, atMostEveryMs, heldUntil } = times;
  const last = lastSentAt?.getTime() ?? Number.NEGATIVE_INFINITY;
  const accepted = times.acceptedAt.map((at) => at.getTime());
  const unsent = accepted.filter((at) => at > last);
  const newest = Math.max(0, ...accepted);
  const oldestUnsent = Math.min(newest, ...unsent);
  const quiet = Math.max(Math.min(newest + quietMs, oldestUnsent + atMostEveryMs), last + atMostEveryMs, 0);
  return new Date(Math.max(isUrgent ? 0 : quiet, heldUntil?.getTime() ?? 0));
}

/** What goes by document waits for the case in whose document it would go. */
export function isForDocument({ target }: Wait): boolean {
  return target.type === 'case' && target.slot === documentSlot;
}

/** What is to be done about the document of the lane. */
export function decideDocument(resource: LaneResource, document: DocumentState): Outcome {
  const { link, leave } = resource;
  if (link !== undefined && resource.isGone) {
    const gone = reason(document.form.message ? 'message-gone' : 'document-gone');
    return { state: 'parked', reason: resource.left ?? resource.stranger?.reason ?? gone };
  }
  if (link !== undefined && leave !== undefined) {
    const { parked } = resource;
    return parked === undefined ? takeBack(resource, link, document, leave) : { state: 'parked', reason: parked };
  }
  const { content, current, patientId } = document;
  const wait = foremost(resource.waits);
  if (wait !== undefined) return { state: 'waiting', reason: wait.reason };
  if (content === undefined || patientId === undefined) return { state: 'current', reason: reason('document-empty') };
  if (resource.parked !== undefined) return { state: 'parked', reason: resource.parked };
  if (current !== undefined && isDeepStrictEqual(current.facts, content.facts))
    return {
      state: 'current',
      reason: reason(document.form.message ? 'message-posted' : 'document-current', { edition: current.number }),
    };
  if (document.isBehind === true) return { state: 'due', reason: reason('message-in-turn') };
  if (document.dueAt > document.now) return { state: 'due', reason: reason('document-quiet'), lookAt: document.dueAt };
  const { encounter } = document;
  if (encounter === 'unknown')
    return { state: 'due', operation: { kind: 'encounter', resource, why: reason('planned-encounter') } };
  if (encounter === 'none-open')
    return { state: 'parked', reason: reason('encounter-missing'), lookAt: new Date(document.now.getTime() + hourMs) };
  return file(resource, document, content, patientId, encounter);
}

const hourMs = 3_600_000;

function file(
  resource: LaneResource,
  document: DocumentState,
  content: DocumentContent,
  patientId: string,
  encounter: Exclude<Encounter, string> | 'not-needed',
): Outcome {
  const { link, observed } = resource;
  const { rules, current: before } = document;
  const place = { patientId, encounter: encounter === 'not-needed' ? undefined : encounter.id };
  const edition = nextEdition(document, content, place, false);
  const amends = before !== undefined && link !== undefined && rules.laterEdition === 'amend' && !document.amendRefused;
  if (amends && (observed === undefined || !observed.isFresh))
    return { state: 'due', operation: { kind: 'read', resource, link, why: reason('planned-read') } };
  const rendered = document.form.render(content.facts, frameOf(document, edition, before));
  const planned = document.form.message ? 'planned-message' : 'planned-document';
  const why = document.urgent ?? reason(planned, { edition: edition.number });
  const body = bodyOf(document, edition, rendered, amends ? undefined : before?.remoteId);
  if (!amends) return { state: 'due', operation: { kind: 'create', resource, body, edition, why } };
  const amended = { ...body, id: link.remoteId, docStatus: 'amended' };
  const versionTag = observed?.versionTag;
  return {
    state: 'due',
    operation: { kind: 'update', resource, link, body: amended, versionTag, elements: [], edition, why },
  };
}

/** Nothing is deleted there: a note says that the editions before it are withdrawn, or the document itself is marked. */
function takeBack(resource: LaneResource, link: LinkState, document: DocumentState, cause: Reason): Outcome {
  const { rules, current: before } = document;
  const { observed } = resource;
  if (before === undefined) return { state: 'leaving', reason: cause };
  const isMarked = rules.retraction === 'entered-in-error' && !document.amendRefused;
  if (isMarked && (observed === undefined || !observed.isFresh))
    return {
      state: 'leaving',
      reason: cause,
      operation: { kind: 'read', resource, link, why: reason('planned-read') },
    };
  const edition = nextEdition(document, { facts: {}, records: [] }, before, true);
  const frame: RetractionFrame = {
    asOf: edition.asOf,
    timeZone: document.timeZone,
    edition: edition.number,
    marker: edition.marker,
    retracts: { edition: before.number, asOf: before.asOf },
    ...(document.form.takenBackAs !== undefined && { what: document.form.takenBackAs }),
  };
  const rendered = document.form.message?.takeBack(frame) ?? renderRetraction(rules.format, frame);
  const body = bodyOf(document, edition, rendered, before.remoteId);
  if (!isMarked)
    return { state: 'leaving', reason: cause, operation: { kind: 'create', resource, body, edition, why: cause } };
  const { relatesTo: _itself, ...rest } = body;
  const marked = { ...rest, id: link.remoteId, status: 'entered-in-error', docStatus: 'amended' };
  return {
    state: 'leaving',
    reason: cause,
    operation: {
      kind: 'retire',
      resource,
      link,
      body: marked,
      versionTag: observed?.versionTag,
      elements: [],
      edition,
      why: cause,
    },
  };
}

function nextEdition(
  { editions, marker, now, form }: DocumentState,
  { facts, records }: DocumentContent,
  { patientId, encounter }: Pick<EditionPlan, 'patientId' | 'encounter'>,
  retracts: boolean,
): EditionPlan {
  const number = 1 + Math.max(0, ...editions.map((one) => one.number));
  return {
    number,
    marker,
    type: form.type.code,
    asOf: wholeSeconds(now),
    facts,
    records,
    patientId,
    encounter,
    retracts,
  };
}

/** What servers keep of an instant: whole seconds in UTC. */
function wholeSeconds(at: Date): string {
  return at.toISOString().replace(/\.\d+Z$/, 'Z');
}

function frameOf({ timeZone }: DocumentState, edition: EditionPlan, before: Edition | undefined): Frame {
  return {
    asOf: edition.asOf,
    timeZone,
    edition: edition.number,
    marker: edition.marker,
    before: before?.facts,
    ...(before !== undefined && { replaces: { edition: before.number, asOf: before.asOf } }),
  };
}

function bodyOf(
  document: DocumentState,
  edition: EditionPlan,
  rendered: Rendered,
  replaced: string | undefined,
): JsonObject {
  return (
    document.form.message?.carry(edition, rendered.text) ?? documentReference(document, edition, rendered, replaced)
  );
}

function documentReference(
  { rules, form }: DocumentState,
  edition: EditionPlan,
  { text }: Rendered,
  replaced: string | undefined,
): JsonObject {
  const { asOf, patientId, encounter, retracts } = edition;
  const title = (retracts ? form.takenBackAs : undefined) ?? form.title;
  const relatesTo = rules.laterEdition === 'new-note' ? relationsOf(form, replaced) : [];
  const attachment = {
    contentType: rules.contentType,
    data: Buffer.from(text, 'utf8').toString('base64'),
    title,
    creation: asOf,
  };
  return {
    resourceType: 'DocumentReference',
    status: 'current',
    docStatus: 'final',
    type: { coding: [{ system: 'http://loinc.org', ...form.type }], text: form.type.display ?? title },
    subject: { reference: `Patient/${patientId}` },
    date: asOf,
    description: title,
    content: [{ attachment }],
    context: {
      ...(encounter !== undefined && { encounter: [{ reference: `Encounter/${encounter}` }] }),
      period: { start: asOf, end: asOf },
    },
    ...(relatesTo.length > 0 && { relatesTo }),
  };
}

function relationsOf({ appends }: DocumentForm, replaced: string | undefined): JsonObject[] {
  return [
    ...(replaced === undefined ? [] : [{ code: 'replaces', target: { reference: `DocumentReference/${replaced}` } }]),
    ...(appends === undefined ? [] : [{ code: 'appends', target: { reference: appends } }]),
  ];
}

/** As it is kept with the intent of the write. */
export function editionJson(edition: EditionPlan): JsonObject {
  const { encounter, records, type, ...rest } = edition;
  return { ...rest, records: [...records], type: type ?? null, encounter: encounter ?? null };
}

/** What `editionJson` made; undefined for an intent that is about no document. */
export function readEdition(sent: Json | null): EditionPlan | undefined {
  if (!isObject(sent)) return undefined;
  const { number, marker, type, asOf, facts, records, patientId, encounter, retracts } = sent;
  const isEdition = typeof number === 'number' && typeof marker === 'string' && typeof asOf === 'string';
  if (!isEdition || typeof patientId !== 'string' || !isObject(facts)) return undefined;
  return {
    number,
    marker,
    type: typeof type === 'string' ? type : undefined,
    asOf,
    facts,
    records: Array.isArray(records) ? records.filter((name) => typeof name === 'string') : [],
    patientId,
    encounter: typeof encounter === 'string' ? encounter : undefined,
    retracts: retracts === true,
  };
}

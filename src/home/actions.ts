// What a partner's contact does on a page, as the FHIR resources that say so. Done twice, each is there once: their ids are made from what they say.

import { contentHash } from '../fhir/fhir.ts';
import { type Json, type JsonObject, objectAt, objectsAt, textAt } from '../json.ts';
import { commentIdOf, commentsByTime, joinedComments } from '../lanes/lanes.ts';
import type { TaskStatus } from '../referrals/referrals.ts';

/** What a performer does with its Task. */
export interface TaskMove {
  /** Absent: the status stays. */
  readonly to?: TaskStatus;
  /** Why, in words and as a code of ours: that of a refusal (`referral-reason`) or of an end without service (`referral-outcome`). */
  readonly reason?: { readonly text: string; readonly code?: string };
  /** What was done, with `completed`: it makes the Procedure that the Task then names. */
  readonly outcome?: { readonly code: 'service-received' | 'partly-received'; readonly text?: string };
  /** A comment to go with it. */
  readonly note?: string;
}

/** The first contact with the client, or the attempt. */
export interface ContactMade {
  /** ISO instant. */
  readonly at: string;
  /** `phone`, `in-person`, … */
  readonly mode?: string;
  readonly outcome: 'reached' | 'left-message' | 'no-answer' | 'wrong-number' | 'client-declined';
  readonly note?: string;
}

export interface AppointmentMade {
  /** ISO instants. */
  readonly startsAt: string;
  readonly endsAt?: string;
  readonly title?: string;
  readonly place?: string;
  /** `booked`: it is agreed with the client. */
  readonly status: 'proposed' | 'booked';
}

export interface Making {
  readonly identifierSystem: string;
  readonly task: JsonObject;
  readonly order: JsonObject;
  /** ISO instant of the server. */
  readonly at: string;
  /** How the person who acts is named; absent: the organization does. */
  readonly byName: string | undefined;
}

type Made = JsonObject & { id: string; resourceType: string };

/** The longest comment, in characters. */
export const longestComment = 4_000;

/** The Task as the move asks for it; whether it may is another question. */
export function askedTask(making: Making, { to, reason, note }: TaskMove, procedure: string | undefined): JsonObject {
  const { task, byName } = making;
  const { statusReason: _former, ...rest } = task;
  const output: Json[] = [...objectsAt(task, 'output'), ...(procedure === undefined ? [] : [resulting(procedure)])];
  return {
    ...(to === undefined ? task : rest),
    ...(to !== undefined && { status: to }),
    ...(reason && { statusReason: statusReason(making, to, reason) }),
    ...(output.length > 0 && { output }),
    ...(note !== undefined && { note: [...objectsAt(task, 'note'), comment(note, byName)] }),
  };
}

function statusReason(
  { identifierSystem }: Making,
  to: TaskStatus | undefined,
  { text, code }: NonNullable<TaskMove['reason']>,
): JsonObject {
  const list = to === 'failed' ? 'referral-outcome' : 'referral-reason';
  return { ...(code !== undefined && { coding: [{ system: local(identifierSystem, list), code }] }), text };
}

function comment(text: string, byName: string | undefined): JsonObject {
  return { ...(byName !== undefined && { authorString: byName }), text };
}

function resulting(procedure: string): JsonObject {
  return {
    type: { coding: [{ system: temporaryCodes, code: 'resulting-activity' }] },
    valueReference: { reference: `Procedure/${procedure}` },
  };
}

const temporaryCodes = 'http://hl7.org/fhir/us/sdoh-clinicalcare/CodeSystem/SDOHCC-CodeSystemTemporaryCodes';

/** What was done, in the words of the order. */
export function procedureOf(making: Making, { code, text }: NonNullable<TaskMove['outcome']>): Made {
  const { order, identifierSystem, at } = making;
  return named(making, 'procedure', {
    resourceType: 'Procedure',
    status: 'completed',
    category: { coding: [{ system: 'http://snomed.info/sct', code: '410606002' }] },
    ...(order.code !== undefined && { code: order.code }),
    ...(order.subject !== undefined && { subject: order.subject }),
    performedDateTime: at,
    outcome: {
      coding: [{ system: local(identifierSystem, 'referral-outcome'), code }],
      ...(text !== undefined && { text }),
    },
  });
}

/** A contact is a Communication that took place; an attempt is one that did not. */
export function communicationOf(making: Making, { at, mode, outcome, note }: ContactMade): Made {
  const { order, identifierSystem, byName } = making;
  const isTalk = outcome === 'reached' || outcome === 'client-declined';
  return named(making, JSON.stringify([at, mode, outcome, note, byName]), {
    resourceType: 'Communication',
    status: isTalk ? 'completed' : 'not-done',
    statusReason: { coding: [{ system: local(identifierSystem, 'contact-outcome'), code: outcome }], text: outcome },
    ...(order.subject !== undefined && { subject: order.subject, recipient: [order.subject] }),
    ...(mode !== undefined && { medium: [{ text: mode }] }),
    sent: at,
    ...(note !== undefined && { note: [comment(note, byName)] }),
  });
}

export function appointmentOf(making: Making, appointment: AppointmentMade): Made {
  const { order } = making;
  const { startsAt, endsAt = startsAt, title, place, status } = appointment;
  const participation = status === 'booked' ? 'accepted' : 'needs-action';
  const service = objectsAt(order, 'performer').find((one) =>
    textAt(one, 'reference')?.startsWith('HealthcareService/'),
  );
  return named(making, `${startsAt} ${endsAt} ${place}`, {
    resourceType: 'Appointment',
    status,
    ...(title !== undefined && { description: title }),
    start: startsAt,
    end: endsAt,
    ...(place !== undefined && { comment: `Place: ${place}` }),
    participant: [
      ...(order.subject === undefined ? [] : [{ actor: order.subject, status: participation }]),
      ...(service === undefined ? [] : [{ actor: service, status: 'accepted' }]),
    ],
  });
}

/** The appointment as agreed. */
export function confirmed(appointment: JsonObject): JsonObject {
  const participant = objectsAt(appointment, 'participant').map((one) => ({ ...one, status: 'accepted' }));
  return { ...appointment, status: 'booked', participant };
}

/** Whose contact it is: the Communication that was made of it, the person and the organization. */
export interface ContactOf {
  readonly communication: string;
  readonly byName: string | undefined;
  readonly organization: string;
}

/**
 * What a contact says of the referral's record, as a merge patch: the first one that reached the client is the first contact, what was said of it a
 * comment, and all others are follow-ups, also one that was taken for the first until an earlier one was logged. Undefined: the record knows it already.
 * @param untaken the fields that were offered before and that the record has not taken over
 */
export function contactPatch(
  referral: JsonObject,
  untaken: JsonObject,
  { at, mode, outcome, note }: ContactMade,
  { communication, byName, organization }: ContactOf,
): JsonObject | undefined {
  const until = objectAt(untaken, 'firstContact');
  const isFirst = !isReached(objectAt(referral, 'firstContact')) && !(isReached(until) && isBefore(until, at));
  const known = joinedComments(objectsAt(referral, 'followUps'), objectsAt(untaken, 'followUps'));
  if (outcome === 'reached' && isFirst) {
    const by = { ...(byName !== undefined && { byName }) };
    const said = {
      id: commentIdOf(communication),
      at,
      ...by,
      byOrganizationId: organization,
      text: note ?? '',
      visibility: 'shared',
    };
    const comments = joinedComments(objectsAt(referral, 'comments'), objectsAt(untaken, 'comments'), [said]);
    return {
      firstContact: { at, outcome, ...(mode !== undefined && { mode }), ...by },
      ...(note !== undefined && { comments: commentsByTime(comments) }),
      ...(until !== undefined && isReached(until) && { followUps: [...known, followUpOf(until)] }),
    };
  }
  const id = `contact-${communication}`;
  if (known.some((one) => one.id === id)) return undefined;
  const followUp = {
    id,
    doneAt: at,
    outcome,
    ...(mode !== undefined && { mode }),
    ...(note !== undefined && { note }),
  };
  return { followUps: [...known, followUp] };
}

/** Of a contact that is the first no more; what was said of it is a comment already. */
function followUpOf(contact: JsonObject): JsonObject {
  const { at = null, mode, outcome = null } = contact;
  const id = `contact-${contentHash(contact).slice(0, 32)}`;
  return { id, doneAt: at, outcome, ...(mode !== undefined && { mode }) };
}

function isReached(contact: JsonObject | undefined): boolean {
  return contact?.outcome === 'reached';
}

function isBefore(contact: JsonObject | undefined, at: string): boolean {
  return Date.parse(textAt(contact, 'at') ?? '') <= Date.parse(at);
}

function named({ task }: Making, about: string, resource: JsonObject & { resourceType: string }): Made {
  const id = contentHash({ task: task.id ?? null, resourceType: resource.resourceType, about }).slice(0, 32);
  return { ...resource, id };
}

function local(identifierSystem: string, name: string): string {
  return `${identifierSystem}/CodeSystem/${name}`;
}

// What a partner is shown of a referral: the minimum that it needs to answer, taken from the resources that its home holds. Facts only, without
// words of any language. Pure.

import type { ClockRule } from '../config.ts';
import { isObject, type Json, type JsonObject, objectAt, objectsAt, textAt } from '../json.ts';
import { isTaskStatus, isTerminal, legalMoves, type TaskStatus } from '../referrals/referrals.ts';
import type { Action } from './choices.ts';

/** The resources of one referral, with what was done to its Task. */
export interface ReferralParts {
  readonly task: JsonObject;
  readonly request: JsonObject | undefined;
  readonly patient: JsonObject | undefined;
  /** By what is known of the patient; the order may prohibit it all the same. */
  readonly mayContact: boolean;
  readonly needs: readonly JsonObject[];
  readonly goals: readonly JsonObject[];
  readonly appointments: readonly JsonObject[];
  readonly communications: readonly JsonObject[];
  /** Who asks: the agency, and whoever of it, as far as they are told. */
  readonly requesters: readonly JsonObject[];
  /** The agency has asked to stop, and has no answer yet. */
  readonly cancelAsked: CancelAsked | undefined;
  /** All versions of the Task, the oldest first. */
  readonly versions: readonly TaskVersion[];
  /** All versions of each appointment, the oldest first. */
  readonly appointmentVersions: readonly AppointmentVersion[];
  readonly clocks: readonly ClockShown[];
}

export interface AppointmentVersion {
  readonly id: string;
  readonly version: number;
  readonly by: Side;
  readonly appointment: JsonObject;
}

export interface CancelAsked {
  /** An instant. */
  readonly at: string;
  /** In the agency's words. */
  readonly reason: string | undefined;
}

export interface TaskVersion {
  readonly version: string;
  /** An instant. */
  readonly at: string;
  readonly by: Side;
  /** Who of the partner; undefined: not known. */
  readonly who: string | undefined;
  readonly task: JsonObject;
}

export type Side = 'us' | 'them';

export interface ClockShown {
  readonly rule: ClockRule;
  readonly state: 'running' | 'due-soon' | 'breached' | 'met';
  /** An instant. */
  readonly dueAt: string | undefined;
}

export interface ReferralView {
  /** Of the Task. */
  readonly version: string;
  /** What is shown, by its versions: another one means that something has changed. `newsSince` reads it. */
  readonly stamp: string;
  readonly status: TaskStatus;
  readonly isWaitlisted: boolean;
  readonly cancelAsked: CancelAsked | undefined;
  /** As it was said with the status. */
  readonly reason: string | undefined;
  readonly service: readonly string[];
  readonly urgency: string | undefined;
  readonly why: readonly string[];
  readonly needs: readonly string[];
  readonly goals: readonly string[];
  /** Dates. */
  readonly neededFrom: string | undefined;
  readonly neededBy: string | undefined;
  readonly askedOn: string | undefined;
  /** Names and telephone numbers. */
  readonly requesters: readonly string[];
  readonly client: ClientShown | undefined;
  readonly mayContact: boolean;
  /** 42 CFR part 2 covers some of what is shown: whoever sees it is to be told so (2.32). */
  readonly isPart2: boolean;
  readonly clocks: readonly ClockShown[];
  readonly appointments: readonly AppointmentShown[];
  /** The newest first. */
  readonly history: readonly HistoryItem[];
  /** What the partner may do now. */
  readonly offered: readonly Action[];
}

export interface ClientShown {
  readonly name: string | undefined;
  readonly birthDate: string | undefined;
  /** Empty where the consent does not allow it, or none is known. */
  readonly phones: readonly string[];
  /** Codes (BCP 47), or words where there is none. */
  readonly languages: readonly string[];
}

export interface AppointmentShown {
  readonly id: string;
  readonly version: string;
  readonly state: 'proposed' | 'booked' | 'kept' | 'cancelled' | 'no-show';
  readonly startsAt: string | undefined;
  readonly place: string | undefined;
  /** By the partner: of what the agency has proposed, that it is agreed; of what is its own, that the client has agreed. */
  readonly canConfirm: boolean;
  /** The partner has set it as it is. */
  readonly isOwn: boolean;
}

/** What a page that was shown earlier did not show. */
export interface News {
  readonly cancelAsked: CancelAsked | undefined;
  readonly appointments: readonly AppointmentShown[];
  readonly history: readonly HistoryItem[];
}

export type HistoryItem = {
  /** An instant: when it happened, as whoever did it says. */
  readonly at: string;
  readonly by: Side;
  readonly who: string | undefined;
  /** The version of the Task in which it first stands; undefined: in none. */
  readonly since: number | undefined;
} & (
  | { readonly kind: 'state'; readonly status: TaskStatus; readonly reason: string | undefined }
  | { readonly kind: 'comment'; readonly text: string }
  | { readonly kind: 'contact'; readonly outcome: string; readonly text: string | undefined }
);

export function viewOf(parts: ReferralParts): ReferralView {
  const { task, request, patient } = parts;
  const status = statusOf(task);
  const isEnded = isTerminal(status);
  const cancelAsked = isEnded ? undefined : parts.cancelAsked;
  const isProhibited = objectsAt(request, 'orderDetail').some((detail) =>
    codesIn(detail).includes('contacting-subject-prohibited'),
  );
  const mayContact = parts.mayContact && !isProhibited;
  const period = objectAt(request, 'occurrencePeriod');
  const version = versionOf(task);
  const appointments = parts.appointments.map((one) => appointmentOf(one, isEnded, parts.appointmentVersions));
  return {
    version,
    stamp: [version, ...appointments.map(markOf), ...(cancelAsked ? [cancelMark(cancelAsked)] : [])].join(' '),
    status,
    isWaitlisted: status === 'requested' && codesIn(task.statusReason).includes('waitlisted'),
    cancelAsked,
    reason: textOf(task.statusReason),
    service: texts([request?.code]),
    urgency: textAt(request, 'priority'),
    why: texts(objectsAt(request, 'reasonCode')),
    needs: texts(parts.needs.map(({ code }) => code)),
    goals: texts(parts.goals.map(({ description }) => description)),
    neededFrom: textAt(period, 'start'),
    neededBy: textAt(period, 'end'),
    askedOn: textAt(task, 'authoredOn'),
    requesters: [...new Set(parts.requesters.flatMap(requesterOf))],
    client: patient && {
      name: nameOf(patient),
      birthDate: textAt(patient, 'birthDate'),
      phones: mayContact ? phonesOf(patient) : [],
      languages: objectsAt(patient, 'communication').flatMap(
        ({ language }) => codesIn(language)[0] ?? textOf(language) ?? [],
      ),
    },
    mayContact,
    isPart2: shownOf(parts).some(isLabelledPart2),
    clocks: isEnded ? [] : parts.clocks,
    appointments,
    history: historyOf(parts),
    offered: offeredActions(status, cancelAsked !== undefined),
  };
}

/** The resources that something on the page is taken from. */
function shownOf({ task, request, patient, ...lists }: ReferralParts): JsonObject[] {
  const single = [task, request, patient].filter((resource) => resource !== undefined);
  return [...single, ...lists.needs, ...lists.goals, ...lists.appointments, ...lists.communications];
}

function isLabelledPart2({ meta }: JsonObject): boolean {
  return objectsAt(isObject(meta) ? meta : undefined, 'security').some(({ code }) => code === '42CFRPart2');
}

function markOf({ id, version }: AppointmentShown): string {
  return `${id}/${version}`;
}

function cancelMark({ at }: CancelAsked): string {
  return `cancel/${at}`;
}

/**
 * @param stamp of the page as it was shown
 * @param shownAt epoch ms: when; counts for what stands in no version of the Task
 */
export function newsSince({ cancelAsked, appointments, history }: ReferralView, stamp: string, shownAt: number): News {
  const [version, ...marks] = stamp.split(' ');
  return {
    cancelAsked: cancelAsked && marks.includes(cancelMark(cancelAsked)) ? undefined : cancelAsked,
    appointments: appointments.filter((one) => !marks.includes(markOf(one))),
    history: history.filter(({ since, at }) =>
      since === undefined ? Date.parse(at) > shownAt : since > Number(version),
    ),
  };
}

/** @param appointment the one that is to be confirmed */
export function isOffered(
  { offered, appointments }: ReferralView,
  action: Action,
  appointment: string | null,
): boolean {
  if (action !== 'confirm') return offered.includes(action);
  return appointments.some(({ id, canConfirm }) => canConfirm && id === appointment);
}

/** What may be done with a referral in this state; appointments that can be confirmed are told by themselves. */
export function offeredActions(status: TaskStatus, isCancelAsked = false): Action[] {
  if (isTerminal(status)) return [];
  const legal = legalMoves(status, 'performer');
  return [
    ...(legal.includes('accepted') ? (['accept'] as const) : []),
    ...(isCancelAsked ? (['stop'] as const) : []),
    ...(legal.includes('in-progress') ? (['start'] as const) : []),
    'contact',
    'propose',
    ...(legal.includes('completed') ? (['finish'] as const) : []),
    ...(legal.includes('on-hold') ? (['hold'] as const) : []),
    ...(declineStatus(status) === undefined ? [] : (['decline'] as const)),
    'comment',
  ];
}

/** The status that says no: after acceptance it is another one, and once the work has begun there is none (closed-loop B7). */
export function declineStatus(status: TaskStatus): 'rejected' | 'cancelled' | undefined {
  if (status === 'requested') return 'rejected';
  return status === 'accepted' || status === 'on-hold' ? 'cancelled' : undefined;
}

function versionOf(resource: JsonObject): string {
  return textAt(objectAt(resource, 'meta'), 'versionId') ?? '';
}

function statusOf({ status }: JsonObject): TaskStatus {
  return isTaskStatus(status) ? status : 'draft';
}

/** An Organization has one name, a Practitioner several, and a PractitionerRole none. */
function requesterOf(resource: JsonObject): string[] {
  return [textAt(resource, 'name') ?? nameOf(resource) ?? [], phonesOf(resource)].flat();
}

function nameOf(patient: JsonObject): string | undefined {
  const names = objectsAt(patient, 'name');
  const name = names.find(({ use }) => use === 'official') ?? names[0];
  const given = Array.isArray(name?.given) ? name.given.filter((part) => typeof part === 'string') : [];
  const parts = [...given, textAt(name, 'family')].filter((part) => part !== undefined);
  return textAt(name, 'text') ?? (parts.length === 0 ? undefined : parts.join(' '));
}

function phonesOf(patient: JsonObject): string[] {
  return objectsAt(patient, 'telecom').flatMap((point) => {
    const value = textAt(point, 'value');
    const isPhone = ['phone', 'sms'].includes(String(point.system)) && point.use !== 'old';
    return isPhone && value !== undefined ? [value] : [];
  });
}

const appointmentStates: Readonly<Record<string, AppointmentShown['state']>> = {
  proposed: 'proposed',
  pending: 'proposed',
  booked: 'booked',
  arrived: 'kept',
  fulfilled: 'kept',
  'checked-in': 'kept',
  noshow: 'no-show',
  cancelled: 'cancelled',
};

/** Who has set it to where it stands and when it is. */
export function lastArranged(versions: readonly AppointmentVersion[]): AppointmentVersion | undefined {
  return versions.findLast((one, at) => !isArrangedSame(one.appointment, versions[at - 1]?.appointment));
}

function isArrangedSame(one: JsonObject, other: JsonObject | undefined): boolean {
  const at = (appointment: JsonObject) => Date.parse(textAt(appointment, 'start') ?? '');
  return other !== undefined && one.status === other.status && Object.is(at(one), at(other));
}

function appointmentOf(
  appointment: JsonObject,
  isEnded: boolean,
  versions: readonly AppointmentVersion[],
): AppointmentShown {
  const state = appointmentStates[textAt(appointment, 'status') ?? ''] ?? 'cancelled';
  return {
    id: textAt(appointment, 'id') ?? '',
    version: versionOf(appointment),
    state,
    startsAt: textAt(appointment, 'start'),
    place: textAt(appointment, 'comment'),
    canConfirm: state === 'proposed' && !isEnded,
    isOwn: lastArranged(versions.filter(({ id }) => id === appointment.id))?.by === 'them',
  };
}

function historyOf({ versions, task, communications }: ReferralParts): HistoryItem[] {
  const moves = versions.flatMap(({ version, at, by, who, task: then }, index): HistoryItem[] => {
    const before = versions[index - 1]?.task;
    const status = statusOf(then);
    const isMove =
      status !== (before && statusOf(before)) || textOf(then.statusReason) !== textOf(before?.statusReason);
    const since = Number(version);
    return isMove ? [{ kind: 'state', at, by, who, since, status, reason: textOf(then.statusReason) }] : [];
  });
  const comments = objectsAt(task, 'note').flatMap((note): HistoryItem[] => {
    const text = textAt(note, 'text');
    if (text === undefined) return [];
    const who = textAt(note, 'authorString') ?? textAt(objectAt(note, 'authorReference'), 'display');
    const at = textAt(note, 'time') ?? '';
    // Whoever wrote the version in which it first stands has said it.
    const first = versions.find(({ task: then }) =>
      objectsAt(then, 'note').some((one) => one.text === note.text && one.time === note.time),
    );
    return [{ kind: 'comment', at, by: first?.by ?? 'us', who, since: first && Number(first.version), text }];
  });
  const contacts = communications.flatMap((one): HistoryItem[] => {
    const [note] = objectsAt(one, 'note');
    return [
      {
        kind: 'contact',
        at: textAt(one, 'sent') ?? '',
        by: 'them',
        who: textAt(note, 'authorString'),
        since: undefined,
        outcome: codesIn(one.statusReason)[0] ?? (one.status === 'completed' ? 'reached' : 'no-answer'),
        text: textAt(note, 'text'),
      },
    ];
  });
  return [...moves, ...comments, ...contacts].sort((a, b) => Date.parse(b.at) - Date.parse(a.at));
}

function texts(concepts: readonly (Json | undefined)[]): string[] {
  return [...new Set(concepts.flatMap((concept) => textOf(concept) ?? []))];
}

/** A concept in words: its text, else the first display. */
function textOf(concept: Json | undefined): string | undefined {
  if (!isObject(concept)) return undefined;
  return (
    textAt(concept, 'text') ??
    objectsAt(concept, 'coding')
      .map((coding) => textAt(coding, 'display'))
      .find(Boolean)
  );
}

function codesIn(concept: Json | undefined): string[] {
  return isObject(concept) ? objectsAt(concept, 'coding').flatMap((coding) => textAt(coding, 'code') ?? []) : [];
}

// The rules of the clocks, as data: what starts, stops, pauses and voids each (records.md 1, closed-loop.md B2, B3 and B7, reporting.md 2). `evaluate.ts`
// knows how a rule is read; docs/clocks.md is the same table in words. Times are epoch milliseconds. Pure.

import type { ClockRule } from '../config.ts';
import { type JsonObject, objectAt, objectsAt, textAt } from '../json.ts';
import type { RecordType } from '../records/records.ts';
import type { Span } from './calendar.ts';
import { startOfDate } from './calendar.ts';
import { earliest, known, timeAt } from './fields.ts';

/** A record with what its versions tell. */
export interface Told {
  readonly record: JsonObject;
  /** Source time since which it has had its status (a goal: since it was given up), where versions tell; else that of the record. */
  readonly statusSince: number;
  /** It had another status before. */
  readonly hasMoved?: boolean;
}

/** What a rule may look at: one record, in its case. */
export interface Seen extends Told {
  /** The other records of the case that are not withdrawn, by type; of coverages all those of its client. */
  readonly others: (type: RecordType) => readonly JsonObject[];
  /** The same with what their versions tell. */
  readonly told: (type: RecordType) => readonly Told[];
  readonly client: JsonObject | undefined;
  /** When the case was closed; undefined while it is not. */
  readonly caseClosedAt: number | undefined;
  /** IANA name. */
  readonly zone: string;
}

/** One sort of happening. `says` ends a sentence such as "It waits for …" or "…: …". */
export interface Happening {
  readonly says: string;
  readonly at: (seen: Seen) => readonly number[];
}

export interface Pause {
  readonly says: string;
  readonly during: (seen: Seen) => readonly Span[];
}

export interface Rule {
  readonly name: ClockRule;
  readonly title: string;
  readonly type: RecordType;
  /** Hours are elapsed time, or business hours; days are calendar days of the zone, to the end of the last. */
  readonly limit:
    | { readonly hours: number }
    | { readonly days: number }
    | { readonly days: (record: JsonObject) => number; readonly says: string };
  /** A record to which it does not apply has no such clock. */
  readonly applies: (record: JsonObject) => boolean;
  readonly appliesTo: string;
  /** The first that is told of starts it. */
  readonly starts: readonly Happening[];
  /** The earliest that is not before the start stops it. */
  readonly stops: readonly Happening[];
  /** What stops it, in one phrase. */
  readonly awaits: string;
  readonly pauses: readonly Pause[];
  /** It no longer counts, if it was neither stopped nor over its limit before. */
  readonly voids: readonly Happening[];
  /** Each stop starts it anew. `part` names the stop that started it; the first is ''. */
  readonly again?: {
    readonly parts: (record: JsonObject) => readonly { readonly part: string; readonly at: number }[];
  };
  /** It is due so many days after one of these, if that is earlier. */
  readonly sooner?: { readonly days: number; readonly after: readonly Happening[] };
  /** If the day on which it is due lies in one of these, it is due so many days after its end. */
  readonly later?: { readonly days: number; readonly says: string; readonly spans: (seen: Seen) => readonly Span[] };
  /** So many hours before it is due it is due soon. */
  readonly dueSoonHours: number;
  readonly tells: readonly ('worker' | 'supervisor')[];
  /** Who has to act, where the record says it; else the primary worker of the case. */
  readonly worker?: (record: JsonObject) => string | undefined;
  /** What is known of the awaited contact when nothing has stopped the clock. */
  readonly contact?: (seen: Seen) => 'implied' | 'attempted' | undefined;
}

/** A happening at the time that stands in a field. */
function field(name: string, says: string): Happening {
  return { says, at: ({ record }) => known(timeAt(record, name)) };
}

/** When the record came to its status: by its history, else by its versions. */
function statusTime({ record, statusSince }: Seen, ...statuses: readonly string[]): number[] {
  const status = textAt(record, 'status') ?? '';
  if (!statuses.includes(status)) return [];
  const moves = objectsAt(record, 'history').filter((move) => move.status === status);
  return [timeAt(moves.at(-1), 'at') ?? statusSince];
}

function became(status: string, says: string): Happening {
  return { says, at: (seen) => statusTime(seen, status) };
}

/** Whenever the history of a referral came to one of these. */
function moved(statuses: readonly string[], says: string): Happening {
  return {
    says,
    at: ({ record }) =>
      objectsAt(record, 'history')
        .filter(({ status }) => typeof status === 'string' && statuses.includes(status))
        .flatMap((move) => known(timeAt(move, 'at'))),
  };
}

/** It was never so: no clock can have run. */
export const always = Number.NEGATIVE_INFINITY;

const enteredInError: Happening = {
  says: 'it was entered in error',
  at: ({ record }) => (record.status === 'entered-in-error' ? [always] : []),
};

const clientDied: Happening = {
  says: 'the client has died',
  at: ({ client, zone }) => known(textAt(client, 'deceasedOn')).map((date) => startOfDate(date, zone)),
};

const caseClosed: Happening = { says: 'the case was closed', at: ({ caseClosedAt }) => known(caseClosedAt) };

const isOutgoing = (record: JsonObject): boolean => record.direction === 'outgoing' && record.status !== 'draft';

const followUp: Rule = {
  name: 'referral-follow-up-48h',
  title: 'referral follow-up, 48 hours',
  type: 'referral',
  limit: { hours: 48 },
  applies: isOutgoing,
  appliesTo: 'an outgoing referral that is no draft',
  starts: [field('sentAt', '`sentAt`')],
  awaits: 'a follow-up or an answer of the partner',
  stops: [
    {
      says: 'a follow-up was done',
      at: ({ record }) => objectsAt(record, 'followUps').flatMap((one) => known(timeAt(one, 'doneAt'))),
    },
    field('decidedAt', 'the partner decided'),
    {
      says: 'the partner put it on a waiting list',
      at: ({ record }) => known(timeAt(objectAt(record, 'waitlist'), 'since')),
    },
    // That it was received is told by machines; all else is a person's answer.
    moved(
      ['accepted', 'waitlisted', 'declined', 'in-progress', 'on-hold', 'completed', 'failed'],
      'the partner answered',
    ),
  ],
  pauses: [],
  voids: [enteredInError, became('cancelled', 'the referral was cancelled')],
  dueSoonHours: 12,
  tells: ['worker', 'supervisor'],
};

const contactOutcome = (record: JsonObject): string | undefined => textAt(objectAt(record, 'firstContact'), 'outcome');

/** It counts if it is about this referral; where we have the referral ourselves, also if one of us meets the client about nothing else. */
function isAbout(record: JsonObject, referralId: string | undefined, byUs: boolean): boolean {
  return referralId === undefined ? record.direction === 'incoming' && byUs : referralId === record.id;
}

const unreached = ['left-message', 'no-answer', 'wrong-number'];

const firstContact: Rule = {
  name: 'first-contact-72h',
  title: 'first contact, 72 hours',
  type: 'referral',
  limit: { hours: 72 },
  applies: ({ status }) => status !== 'draft',
  appliesTo: 'a referral that is no draft',
  starts: [
    {
      says: '`receivedAt` (incoming)',
      at: ({ record }) => (record.direction === 'incoming' ? known(timeAt(record, 'receivedAt')) : []),
    },
    field('sentAt', '`sentAt` (outgoing, or incoming without `receivedAt`)'),
  ],
  awaits: 'a two-way contact with the client',
  stops: [
    {
      says: 'the client was reached',
      at: ({ record }) =>
        contactOutcome(record) === 'reached' ? known(timeAt(objectAt(record, 'firstContact'), 'at')) : [],
    },
    {
      says: 'a note tells that the client was reached',
      at: ({ record, others }) =>
        others('note').flatMap((note) => {
          const contact = objectAt(note, 'contact');
          const isTwoWay =
            contact?.with === 'client' && contact.outcome === 'reached' && note.status !== 'entered-in-error';
          const about = textAt(objectAt(note, 'about'), 'referralId');
          // Of an outgoing referral the partner is to reach the client, and a note tells of a contact of ours.
          const isByPerformer = record.direction === 'incoming';
          return isTwoWay && isByPerformer && isAbout(record, about, true) ? known(timeAt(note, 'occurredAt')) : [];
        }),
    },
    {
      says: 'the client came to an appointment',
      at: ({ record, others }) =>
        others('appointment').flatMap((appointment) => {
          const came = appointment.status === 'arrived' || appointment.status === 'kept';
          const byUs = textAt(objectAt(appointment, 'with'), 'workerId') !== undefined;
          return came && isAbout(record, textAt(appointment, 'referralId'), byUs)
            ? known(timeAt(appointment, 'startsAt'))
            : [];
        }),
    },
  ],
  pauses: [{ says: 'the referral could not be delivered', during: ({ record }) => undelivered(record) }],
  voids: [
    enteredInError,
    became('cancelled', 'the referral was cancelled'),
    became('declined', 'the partner declined'),
    {
      says: 'the client declined',
      at: (seen) => {
        const { record } = seen;
        const outcome = objectAt(record, 'outcome');
        return [
          ...(contactOutcome(record) === 'client-declined'
            ? known(timeAt(objectAt(record, 'firstContact'), 'at'))
            : []),
          ...objectsAt(record, 'followUps')
            .filter((one) => one.outcome === 'client-declined')
            .flatMap((one) => known(timeAt(one, 'doneAt'))),
          ...(outcome?.code === 'client-declined'
            ? known(timeAt(outcome, 'at') ?? statusTime(seen, 'completed', 'failed')[0])
            : []),
        ];
      },
    },
    clientDied,
  ],
  dueSoonHours: 24,
  tells: ['worker', 'supervisor'],
  contact: ({ record }) => {
    const moves = [textAt(record, 'status'), ...objectsAt(record, 'history').map((move) => textAt(move, 'status'))];
    const isUnder = moves.includes('in-progress') || moves.includes('completed');
    const isUntold = objectAt(record, 'firstContact') !== undefined && contactOutcome(record) === undefined;
    if (isUnder || isUntold) return 'implied';
    const tries = [contactOutcome(record), ...objectsAt(record, 'followUps').map((one) => textAt(one, 'outcome'))];
    return tries.some((outcome) => outcome !== undefined && unreached.includes(outcome)) ? 'attempted' : undefined;
  },
};

/** From each move to `undeliverable` to the next move. */
function undelivered(record: JsonObject): Span[] {
  const moves = objectsAt(record, 'history')
    .map((move) => ({ status: move.status, at: timeAt(move, 'at') ?? 0 }))
    .sort((one, other) => one.at - other.at);
  return moves.flatMap(({ status, at }, index): Span[] =>
    status === 'undeliverable' ? [[at, moves[index + 1]?.at ?? Number.POSITIVE_INFINITY]] : [],
  );
}

const cancelAnswer: Rule = {
  name: 'cancel-answer-48h',
  title: 'answer to asking to cancel, 48 hours',
  type: 'referral',
  limit: { hours: 48 },
  applies: ({ status }) => status !== 'draft',
  appliesTo: 'a referral that its requester asks to cancel',
  starts: [{ says: '`cancelRequest.at`', at: ({ record }) => known(timeAt(objectAt(record, 'cancelRequest'), 'at')) }],
  awaits: 'the answer of the performer',
  stops: [
    {
      says: 'the performer answered',
      at: ({ record }) => known(timeAt(objectAt(record, 'cancelRequest'), 'answeredAt')),
    },
    { says: 'the referral ended', at: (seen) => statusTime(seen, 'cancelled', 'completed', 'failed', 'declined') },
  ],
  pauses: [],
  voids: [enteredInError],
  dueSoonHours: 12,
  tells: ['worker', 'supervisor'],
};

const note: Rule = {
  name: 'note-24h',
  title: 'signed note, 24 hours',
  type: 'note',
  limit: { hours: 24 },
  // What the hospital has written is signed there, and its time is none of ours.
  applies: (record) => objectAt(record, 'origin')?.resourceType !== 'DocumentReference',
  appliesTo: 'each note but one that answers a document of a hospital',
  starts: [field('occurredAt', '`occurredAt`')],
  awaits: 'the signature',
  stops: [field('signedAt', 'the note was signed')],
  pauses: [],
  voids: [enteredInError],
  dueSoonHours: 4,
  tells: ['worker', 'supervisor'],
  worker: (record) => textAt(record, 'authorId'),
};

const incident: Rule = {
  name: 'incident-4h',
  title: 'documented incident, 4 hours',
  type: 'incident',
  limit: { hours: 4 },
  applies: () => true,
  appliesTo: 'each incident',
  starts: [field('discoveredAt', '`discoveredAt`')],
  awaits: 'the documentation',
  stops: [field('documentedAt', 'the incident was documented')],
  pauses: [],
  voids: [],
  dueSoonHours: 1,
  tells: ['worker', 'supervisor'],
};

/** A stay tells of its admission when it becomes known, and of its discharge then or when it happens. */
function majorTimes(stay: JsonObject): number[] {
  const knownAt = timeAt(stay, 'knownAt') ?? timeAt(stay, 'admittedAt') ?? 0;
  const dischargedAt = timeAt(stay, 'dischargedAt');
  return known(knownAt, dischargedAt === undefined ? undefined : Math.max(knownAt, dischargedAt));
}

/** When the plan of a record began: what was so before is where it began from, and no event. */
function activation({ record, zone }: Seen): number | undefined {
  return timeAt(record, 'activatedAt') ?? known(textAt(record, 'startsOn')).map((date) => startOfDate(date, zone))[0];
}

/** A goal that the client or the worker has given up, since then: cancelled, or found to be out of reach. */
function givenUp({ record, statusSince }: Told): number[] {
  if (record.status === 'cancelled') return [statusSince];
  if (record.status === 'entered-in-error' || record.achievement !== 'not-attainable') return [];
  const steps = objectsAt(record, 'progress').filter(({ achievement }) => achievement !== undefined);
  const reachable = steps.findLastIndex(({ achievement }) => achievement !== 'not-attainable');
  return [timeAt(steps[reachable + 1], 'at') ?? statusSince];
}

/** By status the day on which a coverage says that it came to it. */
const coverageDays: Readonly<Record<string, string | undefined>> = {
  active: 'startsOn',
  ended: 'endsOn',
  denied: undefined,
};

/** When a coverage became active, ended or was denied, once that was known; one that had done so before the plan began and was entered late has not. */
function coverageChange(seen: Seen, { record, statusSince, hasMoved = false }: Told): number[] {
  const status = textAt(record, 'status') ?? '';
  if (!Object.hasOwn(coverageDays, status)) return [];
  const [day] = known(textAt(record, coverageDays[status] ?? '')).map((date) => startOfDate(date, seen.zone));
  const isFromBefore = day !== undefined && day <= (activation(seen) ?? Number.NEGATIVE_INFINITY);
  return isFromBefore && !hasMoved ? [] : [Math.max(statusSince, day ?? statusSince)];
}

const planReview: Rule = {
  name: 'plan-review-30d',
  title: 'review of the care plan, 30 days',
  type: 'carePlan',
  limit: {
    days: ({ reviewEveryDays }) => (typeof reviewEveryDays === 'number' && reviewEveryDays > 0 ? reviewEveryDays : 30),
    says: '`reviewEveryDays`, else 30 days',
  },
  applies: ({ status }) => status !== 'draft',
  appliesTo: 'a care plan that is no draft',
  starts: [
    field('activatedAt', 'the last review, else `activatedAt`'),
    {
      says: '`startsOn` of a plan without `activatedAt`',
      at: ({ record, zone }) => known(textAt(record, 'startsOn')).map((date) => startOfDate(date, zone)),
    },
  ],
  awaits: 'the review',
  stops: [
    {
      says: 'the plan was reviewed',
      at: ({ record }) => objectsAt(record, 'reviews').flatMap((review) => known(timeAt(review, 'at'))),
    },
  ],
  pauses: [],
  voids: [
    enteredInError,
    {
      says: 'the plan has ended',
      at: (seen) => {
        const ended = statusTime(seen, 'completed', 'revoked');
        const date = ended.length > 0 ? textAt(seen.record, 'endsOn') : undefined;
        return known(earliest([...ended, ...known(date).map((on) => startOfDate(on, seen.zone))]));
      },
    },
    caseClosed,
    clientDied,
  ],
  again: {
    parts: (record) =>
      objectsAt(record, 'reviews').flatMap((review) => {
        const at = timeAt(review, 'at');
        return at === undefined ? [] : [{ part: textAt(review, 'id') ?? '', at }];
      }),
  },
  sooner: {
    days: 7,
    after: [
      {
        says: 'a major event of the plan',
        at: ({ record }) => objectsAt(record, 'majorEvents').flatMap((event) => known(timeAt(event, 'knownAt'))),
      },
      {
        says: 'an admission, an emergency visit or a discharge',
        at: ({ others }) => others('hospitalStay').flatMap(majorTimes),
      },
      {
        says: 'an incident that is major or sentinel',
        at: ({ others }) =>
          others('incident')
            .filter(({ severity }) => severity === 'major' || severity === 'sentinel')
            .flatMap((one) => known(timeAt(one, 'discoveredAt'))),
      },
      {
        says: 'a new safety plan',
        at: ({ others, zone }) =>
          others('safetyPlan').flatMap((plan) =>
            known(textAt(plan, 'effectiveOn')).map((date) => startOfDate(date, zone)),
          ),
      },
      {
        says: 'a loss of housing (a need of the domain `homelessness`)',
        at: ({ others, zone }) =>
          others('need')
            .filter(({ domain, status }) => domain === 'homelessness' && status !== 'entered-in-error')
            .flatMap((need) => known(textAt(need, 'identifiedOn')).map((date) => startOfDate(date, zone))),
      },
      {
        says: 'a coverage that has become active, has ended or was denied',
        at: (seen) => seen.told('coverage').flatMap((one) => coverageChange(seen, one)),
      },
      {
        says: 'a goal that was given up (`cancelled`, or `not-attainable`)',
        at: ({ told }) => told('goal').flatMap(givenUp),
      },
    ],
  },
  later: {
    days: 7,
    says: 'the client is in hospital',
    spans: ({ others }) =>
      others('hospitalStay').map((stay) => [
        timeAt(stay, 'admittedAt') ?? 0,
        timeAt(stay, 'dischargedAt') ?? Number.POSITIVE_INFINITY,
      ]),
  },
  dueSoonHours: 7 * 24,
  tells: ['worker', 'supervisor'],
};

const dischargeFollowUp: Rule = {
  name: 'discharge-follow-up-7d',
  title: 'follow-up after discharge, 7 days',
  type: 'hospitalStay',
  limit: { days: 7 },
  applies: () => true,
  appliesTo: 'a hospital stay that has ended',
  starts: [field('dischargedAt', '`dischargedAt`')],
  awaits: 'the follow-up',
  stops: [
    { says: 'the follow-up was done', at: ({ record }) => known(timeAt(objectAt(record, 'followUp'), 'doneAt')) },
  ],
  pauses: [],
  voids: [
    {
      says: 'the client died in the hospital',
      at: ({ record }) => (record.disposition === 'deceased' ? known(timeAt(record, 'dischargedAt')) : []),
    },
    clientDied,
    caseClosed,
  ],
  dueSoonHours: 48,
  tells: ['worker', 'supervisor'],
};

export const rules: readonly Rule[] = [
  followUp,
  firstContact,
  cancelAnswer,
  note,
  incident,
  planReview,
  dischargeFollowUp,
];

// Facts and frame laid out as a page, in words, without a form yet: what stands at the top, which sections follow, what the foot says.
// Whom it is about, safety, what is asked and what changed come first: a clinician has ten seconds.

import { type JsonObject, numberAt, objectAt, objectsAt, textAt, textsAt } from '../json.ts';
import { changesSince } from './changes.ts';
import { dayAfter, dayOf, printDate, printDay, printInstant } from './dates.ts';
import {
  appointmentEntry,
  assessmentEntry,
  authorizationEntry,
  type Entry,
  goalEntry,
  interventionEntry,
  memberEntry,
  needEntry,
  referralEntry,
} from './entries.ts';
import type { DocumentFacts } from './facts.ts';
import { askWords, safetyWords } from './safety-words.ts';
import { said } from './values.ts';
import { languageWords, wordsFor } from './words.ts';

export interface Frame {
  /** When the edition is made, an instant. */
  readonly asOf: string;
  /** IANA name of the zone in which times are printed. */
  readonly timeZone: string;
  readonly edition: number;
  readonly replaces?: { readonly edition: number; readonly asOf: string } | undefined;
  /** `CB-` and twelve characters, of `markerOf`. */
  readonly marker: string;
  /** Facts of the edition before, for what changed since; undefined for a first edition. */
  readonly before: DocumentFacts | undefined;
}

/** A label with its value, or with several: then a list. */
export interface Row {
  readonly label: string;
  readonly values: readonly string[];
}

export interface Section {
  readonly heading: string;
  readonly entries: readonly Entry[];
  /** What stands there when there is nothing to list. */
  readonly none: string;
  /** One and many of what is listed, for `12 more goals are not shown.` */
  readonly nouns: readonly [one: string, many: string];
  /** Who chooses first where room is short: 0 is first. */
  readonly claim: number;
}

export interface Page {
  readonly title: string;
  readonly subtitle: string;
  /** In groups: the client, what matters at once, who writes. */
  readonly top: readonly (readonly Row[])[];
  readonly sections: readonly Section[];
  readonly foot: readonly string[];
  /** What the top itself left out. */
  readonly leftOut: readonly string[];
}

const title = 'Community care plan';
export const subtitle = 'Information from a community agency, not a hospital order';
const safetyAtMost = 5;
const asksAtMost = 3;

export function layOut(facts: DocumentFacts, frame: Frame): Page {
  const safety = objectsAt(facts, 'safety').map((concern) => safetyWords(concern, frame.timeZone));
  const asks = objectsAt(facts, 'asks').map(askWords);
  return {
    title,
    subtitle,
    top: [
      clientRows(objectAt(facts, 'client')),
      [
        { label: 'SAFETY', values: safety.length === 0 ? ['none reported'] : firstOf(safety, safetyAtMost, 'call us') },
        { label: 'WE ASK YOU', values: asks.length === 0 ? [noAsk(facts)] : firstOf(asks, asksAtMost, 'call us') },
        { label: 'Next review', values: [nextReview(facts, frame)] },
      ],
      [...agencyRows(facts), { label: 'As of', values: [asOf(frame)] }, ...planRows(facts, frame.timeZone)],
    ],
    sections: sectionsOf(facts, frame),
    foot: footOf(facts),
    leftOut: [...over(safety, safetyAtMost, 'safety concern'), ...over(asks, asksAtMost, 'request')],
  };
}

export function clientRows(client: JsonObject | undefined): Row[] {
  const preferred = textAt(client, 'preferred');
  const born = textAt(client, 'birthDate');
  const sex = textAt(client, 'sex');
  const died = textAt(client, 'diedOn');
  const name = textAt(client, 'name') ?? 'name not known';
  const doubtful = client?.birthDateDoubtful === true && born?.length === 10 ? ' (not certain)' : '';
  const about = [born ? printDate(born) + doubtful : 'not known', sex !== undefined && sex !== 'unknown' && sex];
  return [
    { label: 'Client', values: [preferred === undefined ? name : `${name}, called ${preferred}`] },
    { label: 'Born', values: [said(about).join(', ')] },
    ...(died === undefined ? [] : [{ label: 'DIED', values: [printDate(died)] }]),
    { label: 'Your MRN', values: [textAt(client, 'mrn') ?? 'not known to us'] },
  ];
}

function agencyRows(facts: DocumentFacts): Row[] {
  const agency = objectAt(facts, 'agency');
  const worker = objectAt(facts, 'worker');
  const name = textAt(worker, 'name');
  const role = textAt(worker, 'role');
  const contact = [name ?? 'not named', role && wordsFor('role', role), textAt(worker, 'phone')];
  const from = [textAt(agency, 'name') ?? 'not named', textAt(agency, 'program')];
  return [
    { label: 'Case worker', values: [said(contact).join(', ')] },
    { label: 'Agency', values: [said(from).join(', ')] },
    phoneRow(agency),
  ];
}

export function phoneRow(agency: JsonObject | undefined): Row {
  const phones = objectsAt(agency, 'phones').map((phone) =>
    [textAt(phone, 'number'), `(${textAt(phone, 'note') ?? 'hours not stated'})`].join(' '),
  );
  return { label: 'Phone', values: [phones.length === 0 ? 'not known' : phones.join(', ')] };
}

function noAsk(facts: DocumentFacts): string {
  return isClosed(facts)
    ? 'Nothing: the case is closed.'
    : 'No special request. Please call the case worker at discharge or after an emergency visit.';
}

function isClosed(facts: DocumentFacts): boolean {
  return facts.caseStatus === 'closed' || facts.caseStatus === 'declined';
}

export function asOf(frame: Pick<Frame, 'asOf' | 'timeZone' | 'edition' | 'replaces'>): string {
  const replaces = frame.replaces;
  const old =
    replaces &&
    `, replaces the document of ${printInstant(replaces.asOf, frame.timeZone)}, version ${replaces.edition}`;
  return `${printInstant(frame.asOf, frame.timeZone)}, version ${frame.edition}${old ?? ''}`;
}

/** Last review, else start, plus the interval; only a plan in force is reviewed. */
function nextReview(facts: DocumentFacts, frame: Frame): string {
  const plan = objectAt(facts, 'plan');
  if (isClosed(facts)) return 'none: the case is closed';
  if (plan?.status !== 'active' && plan?.status !== 'on-hold') return 'none: no plan in force';
  const from = textAt(plan, 'reviewedAt') ?? textAt(plan, 'activatedAt') ?? textAt(plan, 'startsOn');
  const due = from && dayAfter(from, numberAt(plan, 'reviewEveryDays') ?? 0, frame.timeZone);
  if (!due) return 'no date known';
  return due < dayOf(frame.asOf, frame.timeZone) ? `${printDate(due)}, OVERDUE` : printDate(due);
}

function planRows(facts: DocumentFacts, timeZone: string): Row[] {
  const plan = objectAt(facts, 'plan');
  const status = textAt(facts, 'caseStatus') ?? 'open';
  const closeReason = textAt(facts, 'closeReason');
  const cause = closeReason === undefined ? '' : ` (${wordsFor('closed', closeReason)})`;
  return [
    ...(status === 'open' ? [] : [{ label: 'Case', values: [`${wordsFor('case', status)}${cause}`] }]),
    { label: 'Plan', values: [plan === undefined ? 'no plan yet' : planLine(plan, timeZone)] },
  ];
}

function planLine(plan: JsonObject, timeZone: string): string {
  const starts = textAt(plan, 'startsOn');
  const ends = textAt(plan, 'endsOn');
  const reviewed = textAt(plan, 'reviewedAt');
  const outcome = textAt(plan, 'reviewOutcome');
  const signatures = objectsAt(plan, 'signatures').map((signature) => {
    const at = textAt(signature, 'at');
    return `${textAt(signature, 'role') ?? ''}${at === undefined ? '' : ` ${printDay(at, timeZone)}`}`;
  });
  const parts = said([
    wordsFor('plan', textAt(plan, 'status') ?? ''),
    starts && `from ${printDate(starts)}`,
    ends && `to ${printDate(ends)}`,
    reviewed &&
      `reviewed ${printDay(reviewed, timeZone)}${outcome === undefined ? '' : ` (${wordsFor('review', outcome)})`}`,
    signatures.length > 0 && `signed by ${signatures.slice(0, 3).join(', ')}`,
  ]);
  const summary = textAt(plan, 'summary');
  return `${textAt(plan, 'title') ?? 'Care plan'}: ${parts.join(', ')}.${summary === undefined ? '' : ` ${summary}`}`;
}

function sectionsOf(facts: DocumentFacts, frame: Frame): Section[] {
  const { before, timeZone } = frame;
  const today = dayOf(frame.asOf, timeZone);
  const team = objectsAt(facts, 'careTeam').filter((member) => (textAt(member, 'until') ?? today) >= today);
  return [
    {
      heading: 'Changed since the last one',
      entries: before === undefined ? [] : changesSince(before, facts, timeZone),
      none: before === undefined ? 'This is the first document.' : 'Nothing that is shown here.',
      nouns: ['change', 'changes'],
      claim: 1,
    },
    {
      heading: 'Needs',
      entries: objectsAt(facts, 'needs').map(needEntry),
      none: 'None listed.',
      nouns: ['need', 'needs'],
      claim: 2,
    },
    {
      heading: 'Goals',
      entries: objectsAt(facts, 'goals').map((goal) => goalEntry(goal, timeZone)),
      none: 'None listed.',
      nouns: ['goal', 'goals'],
      claim: 3,
    },
    {
      heading: 'Referrals',
      entries: objectsAt(facts, 'referrals').map((referral) => referralEntry(referral, timeZone)),
      none: 'None listed.',
      nouns: ['referral', 'referrals'],
      claim: 0,
    },
    {
      heading: 'What we do ourselves',
      entries: objectsAt(facts, 'interventions').map((one) => interventionEntry(one, timeZone)),
      none: 'None listed.',
      nouns: ['intervention', 'interventions'],
      claim: 8,
    },
    {
      heading: 'Appointments and rides',
      entries: appointmentsToTell(facts, frame).map((one) => appointmentEntry(one, timeZone)),
      none: 'None listed.',
      nouns: ['appointment', 'appointments'],
      claim: 4,
    },
    {
      heading: 'Assessment scores',
      entries: objectsAt(facts, 'assessments').map((one) => assessmentEntry(one, timeZone)),
      none: 'None listed.',
      nouns: ['assessment', 'assessments'],
      claim: 5,
    },
    {
      heading: 'Authorizations',
      entries: objectsAt(facts, 'authorizations').map(authorizationEntry),
      none: 'None listed.',
      nouns: ['authorization', 'authorizations'],
      claim: 6,
    },
    {
      heading: 'Care team',
      entries: team.map(memberEntry),
      none: 'Nobody else listed.',
      nouns: ['person', 'people'],
      claim: 7,
    },
    {
      heading: 'What the client prefers',
      entries: preferenceEntries(objectAt(facts, 'preferences')),
      none: 'Nothing noted.',
      nouns: ['preference', 'preferences'],
      claim: 9,
    },
  ];
}

const missed = ['no-show', 'cancelled'];
const missedDays = 30;

/** What is to come, the next first, then what fell through lately; the rest is history. */
function appointmentsToTell(facts: DocumentFacts, { asOf, timeZone }: Frame): JsonObject[] {
  const today = dayOf(asOf, timeZone);
  const since = dayAfter(asOf, -missedDays, timeZone) ?? today;
  const dayOfStart = (appointment: JsonObject): string => dayOf(textAt(appointment, 'startsAt') ?? '', timeZone);
  const isOff = ({ status }: JsonObject): boolean => missed.includes(String(status)) || status === 'rescheduled';
  const all = objectsAt(facts, 'appointments');
  const coming = all.filter((one) => !isOff(one) && one.status !== 'kept' && dayOfStart(one) >= today);
  const fellThrough = all.filter((one) => missed.includes(String(one.status)) && dayOfStart(one) >= since);
  return [...coming, ...fellThrough];
}

function preferenceEntries(preferences: JsonObject | undefined): Entry[] {
  const channel = textAt(preferences, 'channel');
  const bestTime = textAt(preferences, 'bestTime');
  const languages = textsAt(preferences, 'languages').map(languageWords);
  const contact = said([channel && wordsFor('channel', channel), bestTime]);
  const lines = said([
    languages.length > 0 && `Language: ${languages.join(', ')}`,
    contact.length > 0 && `Best contact: ${contact.join(', ')}`,
    ...textsAt(preferences, 'said'),
    ...textsAt(preferences, 'barriers').map((barrier) => `What makes it hard: ${barrier}`),
  ]);
  return lines.map((head) => ({ head, details: [] }));
}

/** The short form of the notice, 42 CFR 2.32(a)(2). */
export const part2Notice = '42 CFR part 2 prohibits unauthorized use or disclosure of these records.';

export function footOf(facts: DocumentFacts): string[] {
  const agency = textAt(objectAt(facts, 'agency'), 'name') ?? 'the agency named above';
  return [
    `Source: records of ${agency}, sent through Casebridge.`,
    'This document may be incomplete: some information needs separate consent.',
    ...(facts.part2 === true ? [part2Notice] : []),
  ];
}

function firstOf(values: readonly string[], atMost: number, advice: string): string[] {
  const more = values.length - atMost;
  return more <= 0 ? [...values] : [...values.slice(0, atMost), `${more} more not shown: ${advice}.`];
}

function over(values: readonly string[], atMost: number, noun: string): string[] {
  const more = values.length - atMost;
  return more <= 0 ? [] : [`${more} more ${noun}${more === 1 ? '' : 's'} not shown`];
}

// What changed since the edition before, most urgent first. What is gone is counted, never named: it may be gone because a consent was
// withdrawn, and then this edition must not repeat it.

import { isDeepStrictEqual } from 'node:util';
import { type JsonObject, objectAt, objectsAt, textAt } from '../json.ts';
import { clip } from './clean.ts';
import { printDay } from './dates.ts';
import {
  appointmentTitle,
  assessmentTitle,
  authorizationStatus,
  authorizationTitle,
  type Entry,
  goalStatus,
  goalTitle,
  interventionTitle,
  latestWords,
  needTitle,
  referralStatus,
  referralTitle,
} from './entries.ts';
import { askWords, safetyWords } from './safety-words.ts';
import { said } from './values.ts';
import { riskWords, wordsFor } from './words.ts';

export function changesSince(before: JsonObject, after: JsonObject, timeZone: string): Entry[] {
  const lines = [
    ...safetyChanges(before, after, timeZone),
    ...planChanges(objectAt(before, 'plan'), objectAt(after, 'plan'), timeZone),
    ...listChanges(before, after, referralList),
    ...listChanges(before, after, needList(after)),
    ...listChanges(before, after, goalList(timeZone)),
    ...listChanges(before, after, appointmentList(timeZone)),
    ...listChanges(before, after, assessmentList(timeZone)),
    ...listChanges(before, after, authorizationList),
    ...listChanges(before, after, interventionList),
    ...otherChanges(before, after),
  ];
  return lines.map((head) => ({ head, details: [] }));
}

function safetyChanges(before: JsonObject, after: JsonObject, timeZone: string): string[] {
  const known = new Map(objectsAt(before, 'safety').map((concern) => [textAt(concern, 'key'), concern]));
  const now = objectsAt(after, 'safety');
  const lines = now.flatMap((concern) => {
    const was = known.get(textAt(concern, 'key'));
    if (isDeepStrictEqual(was, concern)) return [];
    const risk = was !== undefined && was.risk !== concern.risk ? `, was ${riskWords(textAt(was, 'risk') ?? '')}` : '';
    return `SAFETY, ${was === undefined ? 'new' : 'changed'}${risk}: ${safetyWords(concern, timeZone)}`;
  });
  return [...lines, ...gone(objectsAt(before, 'safety'), now, 'key', 'safety concern')];
}

function planChanges(was: JsonObject | undefined, is: JsonObject | undefined, timeZone: string): string[] {
  if (is === undefined) return was === undefined ? [] : ['The plan is no longer shown.'];
  const status = wordsFor('plan', textAt(is, 'status') ?? '');
  if (was?.id !== is.id) return [`New plan: ${textAt(is, 'title') ?? ''} - ${status}`];
  const reviewed = textAt(is, 'reviewedAt');
  const outcome = textAt(is, 'reviewOutcome');
  const known = objectsAt(was, 'signatures').map(({ id }) => id);
  const signed = objectsAt(is, 'signatures').filter(({ id }) => !known.includes(id));
  const lines = said([
    was?.status !== is.status && `Plan: now ${status} (was ${wordsFor('plan', textAt(was, 'status') ?? '')})`,
    was?.reviewId !== is.reviewId &&
      reviewed !== undefined &&
      `Plan: reviewed ${printDay(reviewed, timeZone)}${outcome === undefined ? '' : `, ${wordsFor('review', outcome)}`}`,
    signed.length > 0 && `Plan: signed by ${signed.map((each) => textAt(each, 'role') ?? '').join(', ')}`,
  ]);
  return lines.length === 0 && !isDeepStrictEqual(was, is) ? ['Plan: details changed'] : lines;
}

interface List {
  readonly name: string;
  readonly noun: string;
  title(item: JsonObject): string;
  /** What a new item's line adds. */
  news(item: JsonObject): string;
  /** What changed, in words; undefined: only details did. */
  change(was: JsonObject, is: JsonObject): string[];
  /** Said elsewhere already. */
  skips(item: JsonObject): boolean;
  /** Gone, because one of those now takes its place. */
  replacedBy?(old: JsonObject, now: readonly JsonObject[]): boolean;
}

function listChanges(before: JsonObject, after: JsonObject, list: List): string[] {
  const known = new Map(objectsAt(before, list.name).map((item) => [textAt(item, 'id'), item]));
  const now = objectsAt(after, list.name);
  const lines = now.flatMap((item) => {
    const was = known.get(textAt(item, 'id'));
    if (isDeepStrictEqual(was, item) || list.skips(item)) return [];
    if (was === undefined) return `New ${list.noun}: ${list.title(item)}${list.news(item)}`;
    const changes = list.change(was, item);
    const words = changes.length === 0 ? 'details changed' : changes.join(', ');
    return `${list.noun.slice(0, 1).toUpperCase()}${list.noun.slice(1)}: ${list.title(item)} - ${words}`;
  });
  const left = objectsAt(before, list.name).filter((old) => list.replacedBy?.(old, now) !== true);
  return [...lines, ...gone(left, now, 'id', list.noun)];
}

function gone(before: readonly JsonObject[], now: readonly JsonObject[], key: string, noun: string): string[] {
  const left = new Set(now.map((item) => textAt(item, key)));
  const count = before.filter((item) => !left.has(textAt(item, key))).length;
  if (count === 0) return [];
  return [`${count} ${noun}${count === 1 ? ' is' : 's are'} no longer listed`];
}

const referralList: List = {
  name: 'referrals',
  noun: 'referral',
  title: referralTitle,
  news: (referral) => ` - ${referralStatus(referral)}`,
  change: (was, is) =>
    said([
      referralStatus(was) !== referralStatus(is) && `now ${referralStatus(is)} (was ${referralStatus(was)})`,
      !isDeepStrictEqual(was.contact, is.contact) && is.contact !== undefined && 'new contact',
      !isDeepStrictEqual(was.outcome, is.outcome) &&
        is.outcome !== undefined &&
        wordsFor('outcome', textAt(objectAt(is, 'outcome'), 'code') ?? ''),
    ]),
  skips: () => false,
};

// A need that is a safety concern has its line there.
function needList(after: JsonObject): List {
  const concerns = new Set(objectsAt(after, 'safety').map((concern) => textAt(concern, 'key')));
  return {
    name: 'needs',
    noun: 'need',
    title: needTitle,
    news: () => '',
    change: (was, is) =>
      said([
        was.status !== is.status && `now ${wordsFor('need', textAt(is, 'status') ?? '')}`,
        was.risk !== is.risk && `was ${riskWords(textAt(was, 'risk') ?? '')}`,
        was.confirmedBy !== is.confirmedBy && wordsFor('confirmed', textAt(is, 'confirmedBy') ?? 'not confirmed'),
      ]),
    skips: (need) => concerns.has(`need/${textAt(need, 'id') ?? ''}`),
  };
}

function goalList(timeZone: string): List {
  return {
    name: 'goals',
    noun: 'goal',
    title: (goal) => clip(goalTitle(goal), 70),
    news: (goal) => ` - ${goalStatus(goal)}`,
    change: (was, is) => {
      const latest = latestWords(is, timeZone);
      return said([
        goalStatus(was) !== goalStatus(is) && `now ${goalStatus(is)} (was ${goalStatus(was)})`,
        !isDeepStrictEqual(was.latest, is.latest) && latest !== undefined && `latest: ${latest}`,
        was.dueOn !== is.dueOn && 'another due date',
        !isDeepStrictEqual(was.targets, is.targets) && 'another target',
      ]);
    },
    skips: () => false,
  };
}

function appointmentList(timeZone: string): List {
  return {
    name: 'appointments',
    noun: 'appointment',
    title: (appointment) => appointmentTitle(appointment, timeZone),
    news: (appointment) => `, ${wordsFor('appointment', textAt(appointment, 'status') ?? '')}`,
    change: (was, is) =>
      said([
        was.status !== is.status && `now ${wordsFor('appointment', textAt(is, 'status') ?? '')}`,
        was.startsAt !== is.startsAt && 'another time',
        !isDeepStrictEqual(was.ride, is.ride) && 'another ride',
      ]),
    skips: () => false,
  };
}

/** A new assessment takes the place of the one before by the same instrument, which is no loss. */
function assessmentList(timeZone: string): List {
  return {
    name: 'assessments',
    noun: 'assessment',
    title: (assessment) => assessmentTitle(assessment, timeZone),
    news: () => '',
    change: () => [],
    skips: () => false,
    replacedBy: (old, now) => now.some(({ instrument }) => instrument === old.instrument),
  };
}

const authorizationList: List = {
  name: 'authorizations',
  noun: 'authorization',
  title: authorizationTitle,
  news: (authorization) => ` - ${authorizationStatus(authorization)}`,
  change: (was, is) => said([was.status !== is.status && `now ${authorizationStatus(is)}`]),
  skips: () => false,
};

const interventionList: List = {
  name: 'interventions',
  noun: 'intervention',
  title: interventionTitle,
  news: () => '',
  change: (was, is) =>
    said([was.status !== is.status && `now ${wordsFor('intervention', textAt(is, 'status') ?? '')}`]),
  skips: () => false,
};

const others: readonly (readonly [name: string, words: string])[] = [
  ['client', "Client's name, birth date or number changed"],
  ['worker', 'Case worker or their phone changed'],
  ['agency', 'Agency or its phones changed'],
  ['careTeam', 'Care team changed'],
  ['preferences', "Client's preferences changed"],
];

function otherChanges(before: JsonObject, after: JsonObject): string[] {
  const asks = (facts: JsonObject) => objectsAt(facts, 'asks').map(askWords);
  return said([
    before.caseStatus !== after.caseStatus && `The case is now ${wordsFor('case', textAt(after, 'caseStatus') ?? '')}`,
    !isDeepStrictEqual(asks(before), asks(after)) && 'What we ask you changed, see above',
    ...others.map(([name, words]) => !isDeepStrictEqual(before[name], after[name]) && words),
  ]);
}

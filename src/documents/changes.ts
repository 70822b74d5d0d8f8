// What changed since the edition before, most urgent first. What is gone is counted, never named: it may be gone because a consent was
// withdrawn, and then this edition must not repeat it.

import { isDeepStrictEqual } from 'node:util';
import type { JsonObject } from '../json.ts';
import { printDay } from './dates.ts';
import { type Entry, goalStatus, latestWords, needTitle, referralStatus, referralTitle } from './entries.ts';
import { safetyWords } from './safety-words.ts';
import { objectAt, objectsAt, textAt } from './values.ts';
import { riskWords, wordsFor } from './words.ts';

export function changesSince(before: JsonObject, after: JsonObject, timeZone: string): Entry[] {
  const lines = [
    ...safetyChanges(before, after, timeZone),
    ...planChanges(objectAt(before, 'plan'), objectAt(after, 'plan'), timeZone),
    ...listChanges(before, after, 'referrals', 'Referral', referralTitle, referralChange),
    ...listChanges(before, after, 'needs', 'Need', needTitle, needChange),
    ...listChanges(before, after, 'goals', 'Goal', goalName, (was, is) => goalChange(was, is, timeZone)),
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
    return `SAFETY, ${was === undefined ? 'new' : 'changed'}: ${safetyWords(concern, timeZone)}`;
  });
  return [...lines, ...gone(objectsAt(before, 'safety'), now, 'key', 'safety concern')];
}

function planChanges(was: JsonObject | undefined, is: JsonObject | undefined, timeZone: string): string[] {
  if (is === undefined) return was === undefined ? [] : ['The plan is no longer shown.'];
  const status = wordsFor('plan', textAt(is, 'status') ?? '');
  if (was?.id !== is.id) return [`Plan "${textAt(is, 'title') ?? ''}" is ${status}.`];
  const reviewed = textAt(is, 'reviewedAt');
  const outcome = textAt(is, 'reviewOutcome');
  const signed = objectsAt(is, 'signatures').filter(
    (signature) => !objectsAt(was, 'signatures').some((old) => old.id === signature.id),
  );
  const lines = [
    was?.status !== is.status && `Plan is now ${status} (was ${wordsFor('plan', textAt(was, 'status') ?? '')}).`,
    was?.reviewId !== is.reviewId &&
      reviewed !== undefined &&
      `Plan reviewed ${printDay(reviewed, timeZone)}${outcome === undefined ? '' : `: ${wordsFor('review', outcome)}`}.`,
    signed.length > 0 && `Plan signed by ${signed.map((each) => textAt(each, 'role') ?? 'somebody').join(', ')}.`,
  ].filter((line) => line !== false);
  return lines.length === 0 && !isDeepStrictEqual(was, is) ? ['Details of the plan.'] : lines;
}

type Change = (was: JsonObject, is: JsonObject) => string | undefined;

function listChanges(
  before: JsonObject,
  after: JsonObject,
  list: string,
  noun: string,
  title: (item: JsonObject) => string,
  change: Change,
): string[] {
  const known = new Map(objectsAt(before, list).map((item) => [textAt(item, 'id'), item]));
  const now = objectsAt(after, list);
  const lines = now.flatMap((item) => {
    const was = known.get(textAt(item, 'id'));
    if (isDeepStrictEqual(was, item)) return [];
    const status = list === 'referrals' ? `: ${referralStatus(item)}` : '';
    if (was === undefined) return `New ${noun.toLowerCase()}: ${title(item)}${status}`;
    return `${noun} ${title(item)}: ${change(was, item) ?? 'details changed'}`;
  });
  return [...lines, ...gone(objectsAt(before, list), now, 'id', noun.toLowerCase())];
}

function gone(before: readonly JsonObject[], now: readonly JsonObject[], key: string, noun: string): string[] {
  const left = new Set(now.map((item) => textAt(item, key)));
  const count = before.filter((item) => !left.has(textAt(item, key))).length;
  if (count === 0) return [];
  return [`${count} ${noun}${count === 1 ? ' is' : 's are'} no longer listed.`];
}

function needChange(was: JsonObject, is: JsonObject): string | undefined {
  return phrases([
    was.status !== is.status && `now ${wordsFor('need', textAt(is, 'status') ?? '')}`,
    was.risk !== is.risk && `was ${riskWords(textAt(was, 'risk') ?? '')}`,
    was.confirmedBy !== is.confirmedBy &&
      is.confirmedBy !== undefined &&
      wordsFor('confirmed', textAt(is, 'confirmedBy') ?? ''),
  ]);
}

function goalChange(was: JsonObject, is: JsonObject, timeZone: string): string | undefined {
  const latest = latestWords(is, timeZone);
  return phrases([
    goalStatus(was) !== goalStatus(is) && `now ${goalStatus(is)} (was ${goalStatus(was)})`,
    !isDeepStrictEqual(was.latest, is.latest) && latest !== undefined && `latest ${latest}`,
    was.dueOn !== is.dueOn && 'another due date',
    !isDeepStrictEqual(was.targets, is.targets) && 'another target',
  ]);
}

function referralChange(was: JsonObject, is: JsonObject): string | undefined {
  return phrases([
    referralStatus(was) !== referralStatus(is) && `now ${referralStatus(is)} (was ${referralStatus(was)})`,
    !isDeepStrictEqual(was.contact, is.contact) && is.contact !== undefined && 'new contact',
    !isDeepStrictEqual(was.outcome, is.outcome) &&
      is.outcome !== undefined &&
      wordsFor('outcome', textAt(objectAt(is, 'outcome'), 'code') ?? ''),
  ]);
}

function goalName(goal: JsonObject): string {
  const statement = textAt(goal, 'statement') ?? '';
  return `"${statement.length > 60 ? `${Array.from(statement).slice(0, 57).join('')}...` : statement}"`;
}

const others: readonly (readonly [name: string, words: string])[] = [
  ['asks', 'What we ask of the hospital.'],
  ['client', 'Name, birth date or number of the client.'],
  ['worker', 'The case worker or their phone.'],
  ['agency', 'The agency or its phones.'],
  ['careTeam', 'The care team.'],
  ['preferences', 'What the client prefers.'],
];

function otherChanges(before: JsonObject, after: JsonObject): string[] {
  const status = textAt(after, 'caseStatus') ?? '';
  const lines = others.filter(([name]) => !isDeepStrictEqual(before[name], after[name])).map(([, words]) => words);
  return before.caseStatus === after.caseStatus ? lines : [`The case is now ${wordsFor('case', status)}.`, ...lines];
}

function phrases(parts: readonly (string | false)[]): string | undefined {
  const said = parts.filter((part) => part !== false);
  return said.length === 0 ? undefined : said.join('; ');
}

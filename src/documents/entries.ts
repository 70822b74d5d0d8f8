// One need, goal, referral or person as lines in plain English. The head alone must make sense: it is what is left where room is short.

import { type JsonObject, numberAt, objectAt, objectsAt, textAt, textsAt } from '../json.ts';
import { printDate, printDay, printInstant } from './dates.ts';
import { said } from './values.ts';
import {
  capital,
  domainWords,
  instrumentWords,
  languageWords,
  riskWords,
  scoreWords,
  unitWords,
  wordsFor,
} from './words.ts';

export interface Entry {
  readonly head: string;
  /** Whole sentences. */
  readonly details: readonly string[];
}

export function needEntry(need: JsonObject): Entry {
  const description = textAt(need, 'description');
  const identified = textAt(need, 'identifiedOn');
  const resolved = textAt(need, 'resolvedOn');
  const confirmed = textAt(need, 'confirmedBy');
  return {
    head: `${needTitle(need)}, ${wordsFor('need', textAt(need, 'status') ?? '')}`,
    details: sentences([
      description,
      confirmed && wordsFor('confirmed', confirmed),
      identified && `since ${printDate(identified)}`,
      resolved && `closed ${printDate(resolved)}`,
    ]),
  };
}

/** `Food, moderate risk`. */
export function needTitle(need: JsonObject): string {
  return `${domainWords(textAt(need, 'domain') ?? 'other')}, ${riskWords(textAt(need, 'risk') ?? '')}`;
}

export function goalEntry(goal: JsonObject, timeZone: string): Entry {
  const due = textAt(goal, 'dueOn');
  const targets = objectsAt(goal, 'targets').map((target) => targetWords(target, due));
  const latest = latestWords(goal, timeZone);
  return {
    head: `${goalTitle(goal)} - ${goalStatus(goal)}`,
    details: sentences([
      targets.length > 0 && `target: ${targets.join('; ')}${measured(goal)}`,
      due && `due ${printDate(due)}`,
      latest ? `latest: ${latest}` : objectsAt(goal, 'targets').length > 0 && 'nothing measured yet',
    ]),
  };
}

/** The client's own sentence, ready to go on. */
export function goalTitle(goal: JsonObject): string {
  return (textAt(goal, 'statement') ?? 'Goal').replace(/[.\s]+$/, '');
}

export function goalStatus(goal: JsonObject): string {
  const status = wordsFor('goal', textAt(goal, 'status') ?? '');
  const achievement = textAt(goal, 'achievement');
  return achievement === undefined ? status : `${status}, ${wordsFor('achievement', achievement)}`;
}

/** `5200 steps a day on Feb 10, 2026, improving`; undefined where nothing was measured. */
export function latestWords(goal: JsonObject, timeZone: string): string | undefined {
  const latest = objectAt(goal, 'latest');
  const at = textAt(latest, 'at');
  if (at === undefined) return undefined;
  const value = numberAt(latest, 'value');
  const achievement = textAt(latest, 'achievement');
  const what = said([
    value !== undefined && quantity(value, textAt(latest, 'unit')),
    achievement !== undefined && wordsFor('achievement', achievement),
  ]);
  return `${what.join(', ')} on ${printDay(at, timeZone)}`;
}

const comparators: Readonly<Record<string, string>> = {
  '<': 'below',
  '<=': 'at most',
  '>=': 'at least',
  '>': 'more than',
};

function targetWords(target: JsonObject, goalDue: string | undefined): string {
  const unit = textAt(target, 'unit');
  const [value, low, high] = [numberAt(target, 'value'), numberAt(target, 'low'), numberAt(target, 'high')];
  const due = textAt(target, 'dueOn');
  const words = [
    value !== undefined &&
      [comparators[textAt(target, 'comparator') ?? ''], quantity(value, unit)].filter(Boolean).join(' '),
    low !== undefined && high !== undefined && `${low} to ${quantity(high, unit)}`,
    low !== undefined && high === undefined && `at least ${quantity(low, unit)}`,
    low === undefined && high !== undefined && `at most ${quantity(high, unit)}`,
    textAt(target, 'text'),
  ].filter(Boolean);
  const by = due !== undefined && due !== goalDue ? ` by ${printDate(due)}` : '';
  return words.join(', ') + by;
}

function measured(goal: JsonObject): string {
  const measure = textAt(goal, 'measure');
  return measure === undefined ? '' : ` (${measure})`;
}

function quantity(value: number, unit: string | undefined): string {
  return unit === undefined ? String(value) : `${value} ${unitWords(unit)}`;
}

export function referralEntry(referral: JsonObject, timeZone: string): Entry {
  const status = textAt(referral, 'status') ?? '';
  const sent = textAt(referral, 'sentAt');
  const since = textAt(referral, 'since');
  const urgency = textAt(referral, 'urgency');
  const incoming = referral.direction === 'incoming';
  const request = textAt(referral, 'request');
  return {
    head: `${referralTitle(referral)}: ${referralStatus(referral)}${since === undefined || status === 'sent' ? '' : ` (since ${printDay(since, timeZone)})`}`,
    details: sentences([
      request && `asked for: ${request}`,
      sent &&
        `${incoming ? 'received' : 'sent'} ${printDay(sent, timeZone)}${urgency === undefined || urgency === 'routine' ? '' : `, ${urgency}`}`,
      contactWords(referral, timeZone),
      outcomeWords(referral, timeZone),
      nextStep(referral, status, timeZone),
    ]),
  };
}

/** `Elm Street Pantry, Weekly groceries`. */
export function referralTitle(referral: JsonObject): string {
  const service = capital(textAt(referral, 'service') ?? domainWords(textAt(referral, 'domain') ?? 'other'));
  if (referral.direction === 'incoming')
    return `From ${textAt(referral, 'partner') ?? 'another organization'} to us, ${service}`;
  return `${textAt(referral, 'partner') ?? 'Community partner'}, ${service}`;
}

export function referralStatus(referral: JsonObject): string {
  const status = textAt(referral, 'status') ?? '';
  if (status === 'declined') {
    const reason = textAt(referral, 'declineReason');
    const by = referral.direction === 'incoming' ? 'declined by us' : 'declined by the partner';
    return reason === undefined ? by : `${by} (${wordsFor('declined', reason)})`;
  }
  const words = wordsFor('referral', status);
  return referral.cancelAsked === true ? `${words}, we asked to cancel it,` : words;
}

function contactWords(referral: JsonObject, timeZone: string): string | undefined {
  const contact = objectAt(referral, 'contact');
  const at = textAt(contact, 'at');
  if (at === undefined) return undefined;
  const outcome = textAt(contact, 'outcome');
  return `last contact ${printDay(at, timeZone)}${outcome === undefined ? '' : `: ${wordsFor('contact', outcome)}`}`;
}

function outcomeWords(referral: JsonObject, timeZone: string): string | undefined {
  const reason = textAt(referral, 'reason');
  const outcome = objectAt(referral, 'outcome');
  const code = textAt(outcome, 'code');
  if (code === undefined) return reason && `reason: ${reason}`;
  const at = textAt(outcome, 'at');
  const by = textAt(outcome, 'confirmedBy');
  const text = textAt(outcome, 'text');
  const when = at === undefined ? '' : ` on ${printDay(at, timeZone)}`;
  const who = by === undefined ? '' : `, ${wordsFor('outcomeSource', by)}`;
  return `outcome: ${wordsFor('outcome', code)}${when}${who}${text === undefined ? '' : `: ${text}`}`;
}

// Whose turn it is follows from the status; a date only from the record.
function nextStep(referral: JsonObject, status: string, timeZone: string): string | undefined {
  if (referral.replaced === true) return 'next: replaced by a newer referral';
  const turn = nextTurns[status]?.[referral.direction === 'incoming' ? 1 : 0];
  const expected = textAt(referral, 'expectedOn');
  const due = textAt(referral, 'followUpDueAt');
  const neededBy = textAt(referral, 'neededBy');
  const steps = [
    turn,
    expected !== undefined && status === 'waitlisted' && `place expected ${printDate(expected)}`,
    turn !== undefined && neededBy !== undefined && `needed by ${printDate(neededBy)}`,
    due !== undefined && `follow-up due ${printDay(due, timeZone)}`,
  ].filter(Boolean);
  return steps.length === 0 ? undefined : `next: ${steps.join(', ')}`;
}

const nextTurns: Readonly<Record<string, readonly [outgoing: string, incoming: string]>> = {
  sent: ['partner answers', 'we answer'],
  undeliverable: ['we deliver it another way', 'we answer'],
  received: ['partner answers', 'we answer'],
  waitlisted: ['partner offers a place', 'we offer a place'],
  accepted: ['partner begins the service', 'we begin the service'],
  'on-hold': ['partner goes on with the service', 'we go on with the service'],
  'in-progress': ['partner completes the service', 'we complete the service'],
};

/** `Mar 12, 2026, 1:30 PM EDT, Eye clinic, confirmed`. */
export function appointmentEntry(appointment: JsonObject, timeZone: string): Entry {
  const ride = objectAt(appointment, 'ride');
  const interpreter = objectAt(appointment, 'interpreter');
  const language = textAt(interpreter, 'language');
  const party = said([textAt(appointment, 'with'), textAt(appointment, 'worker'), textAt(appointment, 'organization')]);
  const mode = textAt(appointment, 'mode');
  return {
    head: `${appointmentTitle(appointment, timeZone)}, ${wordsFor('appointment', textAt(appointment, 'status') ?? '')}`,
    details: sentences([
      party.length > 0 && `with ${party.join(', ')}`,
      mode !== undefined && mode !== 'in-person' && `by ${mode}`,
      textAt(appointment, 'place') && `place: ${textAt(appointment, 'place')}`,
      ride && `ride: ${rideWords(ride, timeZone)}`,
      interpreter &&
        `interpreter${language === undefined ? '' : ` (${languageWords(language)})`} ${interpreter.booked === true ? 'booked' : 'needed, not booked yet'}`,
    ]),
  };
}

export function appointmentTitle(appointment: JsonObject, timeZone: string): string {
  const what = textAt(appointment, 'title') ?? capital(wordsFor('visit', textAt(appointment, 'kind') ?? 'other'));
  return `${printInstant(textAt(appointment, 'startsAt') ?? '', timeZone)}, ${what}`;
}

function rideWords(ride: JsonObject, timeZone: string): string {
  const kind = textAt(ride, 'kind');
  const status = textAt(ride, 'status');
  const pickup = textAt(ride, 'pickupAt');
  return said([
    kind === undefined ? 'needed' : wordsFor('ride', kind),
    textAt(ride, 'provider'),
    status && wordsFor('rideStatus', status),
    pickup && `pickup ${printInstant(pickup, timeZone)}`,
    ride.wheelchair === true && 'wheelchair',
  ]).join(', ');
}

/** `PHQ-9 (depression), Feb 3, 2026: 10 of 27, moderate`. */
export function assessmentEntry(assessment: JsonObject, timeZone: string): Entry {
  const status = textAt(assessment, 'status') ?? '';
  const level = textAt(assessment, 'level');
  const domains = textsAt(assessment, 'domains');
  const results = said([
    status !== 'completed' && wordsFor('assessment', status),
    ...objectsAt(assessment, 'scores').map(scoreLine),
    level && (level === 'none' ? 'no risk found' : riskWords(level)),
  ]);
  return {
    head: `${assessmentTitle(assessment, timeZone)}${results.length === 0 ? '' : `: ${results.join('; ')}`}`,
    details: sentences([
      assessment.alert === true && 'POSITIVE ANSWER ABOUT SUICIDE OR SELF-HARM, see the top',
      domains.length > 0 && `points to: ${domains.map((domain) => domainWords(domain).toLowerCase()).join(', ')}`,
    ]),
  };
}

export function assessmentTitle(assessment: JsonObject, timeZone: string): string {
  const at = textAt(assessment, 'at');
  const name = instrumentWords(textAt(assessment, 'instrument') ?? '');
  return at === undefined ? name : `${name}, ${printDay(at, timeZone)}`;
}

function scoreLine(score: JsonObject): string {
  const what = scoreWords(textAt(score, 'code') ?? '');
  const max = numberAt(score, 'max');
  const meaning = textAt(score, 'meaning');
  const counted = numberAt(score, 'counted');
  const value = `${numberAt(score, 'value') ?? ''}${max === undefined ? '' : ` of ${max}`}`;
  return said([
    what === undefined ? value : `${what} ${value}`,
    meaning && wordsFor('meaning', meaning),
    counted !== undefined && `its answers add up to ${counted}`,
  ]).join(', ');
}

export function interventionEntry(intervention: JsonObject, timeZone: string): Entry {
  const [starts, ends] = [textAt(intervention, 'startsOn'), textAt(intervention, 'endsOn')];
  const [times, per] = [numberAt(intervention, 'times'), textAt(intervention, 'per')];
  const count = numberAt(intervention, 'deliveries');
  const last = textAt(intervention, 'lastAt');
  return {
    head: `${interventionTitle(intervention)}, ${wordsFor('intervention', textAt(intervention, 'status') ?? '')}`,
    details: sentences([
      textAt(intervention, 'description'),
      times !== undefined && per !== undefined && `${times} ${times === 1 ? 'time' : 'times'} a ${per}`,
      starts && `from ${printDate(starts)}`,
      ends && `to ${printDate(ends)}`,
      count !== undefined &&
        last !== undefined &&
        `done ${count} ${count === 1 ? 'time' : 'times'}, last ${printDay(last, timeZone)}`,
    ]),
  };
}

export function interventionTitle(intervention: JsonObject): string {
  return capital(wordsFor('interventionKind', textAt(intervention, 'kind') ?? 'other'));
}

/** `Home health aide (Hudson Silver): approved, 28 of 40 hours left`. */
export function authorizationEntry(authorization: JsonObject): Entry {
  const ends = textAt(authorization, 'endsOn');
  const [left, approved] = [numberAt(authorization, 'left'), numberAt(authorization, 'approved')];
  const unit = textAt(authorization, 'unit');
  const units = unit === undefined ? 'units' : (unitsOfService[unit] ?? `${unit}s`);
  return {
    head: said([
      `${authorizationTitle(authorization)}: ${authorizationStatus(authorization)}`,
      left !== undefined && `${Math.max(left, 0)} of ${approved} ${units} left`,
      left !== undefined && left < 0 && `${-left} MORE USED THAN APPROVED`,
      ends && `ends ${printDate(ends)}`,
    ]).join(', '),
    details: [],
  };
}

export function authorizationTitle(authorization: JsonObject): string {
  const plan = textAt(authorization, 'plan');
  const service = textAt(authorization, 'service') ?? 'Service';
  return plan === undefined ? service : `${service} (${plan})`;
}

export function authorizationStatus(authorization: JsonObject): string {
  return wordsFor('authorization', textAt(authorization, 'status') ?? 'requested');
}

const unitsOfService: Readonly<Record<string, string>> = { '15-min': 'quarters of an hour' };

export function memberEntry(member: JsonObject): Entry {
  const part = textAt(member, 'part');
  const until = textAt(member, 'until');
  const who = [textAt(member, 'name'), textAt(member, 'organization')].filter(Boolean).join(', ');
  const role = textAt(member, 'role') ?? (part && (parts[part] ?? `${part} case worker`));
  const phone = textAt(member, 'phone');
  return {
    head: [who, role, phone ?? 'no phone known', until && `until ${printDate(until)}`].filter(Boolean).join(', '),
    details: [],
  };
}

const parts: Readonly<Record<string, string>> = { supervisor: 'supervisor', primary: 'case worker' };

function sentences(parts: readonly (string | false | undefined)[]): string[] {
  return said(parts).map((part) => (/[.!?]$/.test(part) ? capital(part) : `${capital(part)}.`));
}

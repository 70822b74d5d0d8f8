// What becomes of the resources that began on the other side, for one patient and one source. Pure: same input, same output; planned again after it was
// stored it gives nothing.
//
// A row is a resource of the server and the record that it may become. The judge of its kind, asking `view.ts` what is known, comes to a verdict
// (`verdict.ts`): offer it, keep it, take back what was offered, ask a person, or read more first. From that follows what becomes of the row, what the
// source is told and what a person is asked (`put-out.ts`).
//
//   referral              judge-referral.ts  a Task with its order, or an order alone (whose it is: request.ts; how it is offered: tell-referral.ts)
//   need, goal, coverage  judge-pointed.ts   Condition, Goal, Coverage: what a standing referral points at
//   client                judge-client.ts    the patient of standing referrals, unless the source has them
//   case                  judge-case.ts      under which the referrals of somebody without one are offered
//   all that is left      judge-record.ts    what is offered for itself to the client's open case, of which
//     hospitalStay        judge-stay.ts      Encounter
//     note                judge-document.ts  DocumentReference
//
// What partners say and arrange about referrals of ours is no row of this plan: `../hear-contacts.ts`, `../offer-made.ts`.

import type { Named } from '../about.ts';
import type { InboundRow } from '../rows.ts';
import { judgeCase, placesOfCases } from './judge-case.ts';
import { judgeClient } from './judge-client.ts';
import { judgePointed } from './judge-pointed.ts';
import { judgeRecord } from './judge-record.ts';
import { judgeReferral, readReferrals } from './judge-referral.ts';
import { answeredBy, type PlannedChange, putOut } from './put-out.ts';
import { type Ground, isOffered, type Judged } from './verdict.ts';
import { type AttachmentLook, type InboundInput, View } from './view.ts';

export type { AttachmentLook, InboundInput, PlannedChange };

export interface InboundPlan {
  /** In the order in which a source can take them over. */
  readonly changes: readonly PlannedChange[];
  /** Topics of open questions that answered themselves. */
  readonly answered: readonly string[];
  /** What has to be looked at before the rest can be told: plan again with it. */
  readonly toRead: readonly Named[];
}

export function planInbound(input: InboundInput): InboundPlan {
  const view = new View(input);
  const judged = judgeAll(view);
  return {
    changes: judged.flatMap((one) => putOut(view, one) ?? []).sort((a, b) => rank(a) - rank(b)),
    answered: judged.flatMap(answeredBy),
    toRead: judged.flatMap(({ verdict }) => (verdict.kind === 'read' ? [verdict.named] : [])),
  };
}

/** Referrals first: on those that stand rests what is offered with them. */
function judgeAll(view: View): Judged[] {
  const { rows } = view.input;
  const open = rows.filter(({ state }) => state !== 'refused' && state !== 'adopted');
  const read = readReferrals(view, open);
  const ground: Ground = { view, cases: placesOfCases(view, read) };
  const referrals = read.map((one) => judgeReferral(ground, one));
  const standing = referrals.filter(isStanding);
  const pointed = judgePointed(ground, standing);
  const others = open
    .filter(({ type }) => type !== 'referral' && type !== 'client' && type !== 'case')
    .filter((row) => !pointed.some(({ place }) => place.row === row))
    .map((row) => judgeRecord(ground, row));
  const people = patientsOffered(rows, standing).flatMap((patient) => {
    const theirs = standing.filter((one) => one.patient === patient);
    return [...judgeClient(view, patient, theirs.length > 0), ...judgeCase(ground, patient, theirs)];
  });
  return [...people, ...pointed, ...referrals, ...others];
}

/** What is asked about stands as it was offered, and so does what it came with. */
function isStanding({ place, verdict }: Judged): boolean {
  return verdict.kind === 'offer' || (verdict.kind === 'ask' && isOffered(place.row));
}

/** Those of standing referrals, and those who were offered before. */
function patientsOffered(rows: readonly InboundRow[], standing: readonly Judged[]): string[] {
  const before = rows.flatMap(({ type, remote_id: id, patient }) =>
    type === 'client' ? id : type === 'case' ? (patient ?? []) : [],
  );
  return [...new Set([...standing.flatMap(({ patient }) => patient ?? []), ...before])];
}

/** What others point at comes first, and is taken back last. */
const offerOrder: readonly string[] = [
  'client',
  'case',
  'coverage',
  'need',
  'goal',
  'referral',
  'hospitalStay',
  'note',
  'carePlan',
  'none',
];

function rank({ row, change }: PlannedChange): number {
  const at = offerOrder.indexOf(row.type);
  return change?.op === 'withdraw' ? offerOrder.length + (offerOrder.length - at) : at;
}

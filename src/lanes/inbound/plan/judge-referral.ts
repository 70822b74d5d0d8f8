// A referral that began on the other side, a Task with its order or an order alone: judged by whose it is, by where it stands now and stood when it was
// offered, and by whom it is about. It is read first and offered then, under a case that rests on what all of them say. Pure.

import { contentHash } from '../../../fhir/fhir.ts';
import { textAt } from '../../../json.ts';
import { type BegunReading, readBegun } from '../../../referrals/referrals.ts';
import { localName } from '../about.ts';
import type { ReferralBodies } from '../propose.ts';
import { type InboundRow, partsOf } from '../rows.ts';
import { bodiesOf, isPartOfOurs, passedOn, patientsOfBoth, performerOf } from './request.ts';
import { tellReferral } from './tell-referral.ts';
import { type Ground, gone, isOfAnother, isOffered, type Judged, placeOf, type Verdict } from './verdict.ts';
import { hashOf, patientNamed, type View } from './view.ts';

export interface ReadReferral {
  readonly row: InboundRow;
  readonly bodies: ReferralBodies;
  readonly patient: string | undefined;
  readonly look: string;
  readonly reading: BegunReading;
}

export function readReferrals(view: View, open: readonly InboundRow[]): ReadReferral[] {
  const passed = passedOn(view);
  const referrals = open.filter(({ type }) => type === 'referral');
  return referrals.map((row) => {
    const place = placeOf(row);
    const bodies = bodiesOf(view, place);
    const patients = patientsOfBoth(view, bodies);
    const [patient] = patients;
    const look = contentHash([
      hashOf(bodies.task),
      hashOf(bodies.order),
      [...patients, patient === undefined ? null : view.shown(patientNamed(patient))],
      view.body(place) === undefined,
    ]);
    const reading = readingOf(view, row, bodies, passed.has(localName(place)));
    const doubt = reading.kind === 'offer' ? doubtAbout(view, row, patients) : undefined;
    return { row, bodies, patient, look, reading: doubt ?? reading };
  });
}

export function judgeReferral(ground: Ground, { row, bodies, patient, look, reading }: ReadReferral): Judged {
  const verdict: Verdict =
    reading.kind === 'offer'
      ? { kind: 'offer', told: tellReferral(ground, row, bodies, patient ?? '', reading.status) }
      : reading;
  // While a person is asked it is about whom it was offered for.
  const isStanding = reading.kind === 'ask' && isOffered(row);
  return { place: placeOf(row), verdict, patient: isStanding ? (row.patient ?? patient) : patient, look };
}

function readingOf(view: View, row: InboundRow, bodies: ReferralBodies, isPassedOn: boolean): BegunReading {
  const { task, order } = bodies;
  const request = task ?? order;
  if (request === undefined) return gone(row);
  if (row.resource_type !== view.input.connection.vendor.referralsBegin) return { kind: 'keep', why: 'inbound-order' };
  const parts = partsOf(row);
  const status = (resourceType: string) => {
    const held = parts.find((part) => part.resourceType === resourceType)?.facts.status;
    return typeof held === 'string' ? held : undefined;
  };
  const isPart = isPartOfOurs(view, request);
  return readBegun({
    ...(task && { task }),
    ...(order && { order }),
    ...(isOffered(row) && { offered: { task: askedFrom(row, status('Task')), order: status('ServiceRequest') } }),
    isWithdrawn: row.state === 'withdrawn',
    performer: performerOf(view, bodies, isPart),
    isPartOfOurs: isPart,
    isPassedOn,
  });
}

/** Why it must not be offered although it is open: about whom it is does not stand. */
function doubtAbout(view: View, row: InboundRow, patients: readonly string[]): BegunReading | undefined {
  const [patient, another] = patients;
  if (patient === undefined) return { kind: 'ask', why: 'inbound-no-patient' };
  if (another !== undefined) return { kind: 'ask', why: 'inbound-two-patients' };
  if (isOfAnother(row, patient)) return { kind: 'ask', why: 'inbound-patient-changed' };
  return view.body(patientNamed(patient)) === undefined ? { kind: 'ask', why: 'inbound-patient-unknown' } : undefined;
}

/** Where the Task stood before its requester asked to cancel; while it does not, where it stands. */
function askedFrom({ offered }: InboundRow, held: string | undefined): string | undefined {
  const known = textAt(offered ?? undefined, 'status');
  return held !== 'in-progress' || known === undefined || known === held
    ? held
    : known === 'received'
      ? 'requested'
      : known;
}

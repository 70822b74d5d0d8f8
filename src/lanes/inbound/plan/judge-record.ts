// What is offered for itself: judged by whether it stands, whose it is and whether that client has an open case, then by the judge of its kind. What no
// referral points at any more is judged so too. Pure.

import { contentHash } from '../../../fhir/fhir.ts';
import type { JsonObject } from '../../../json.ts';
import { isRecordType } from '../../../records/records.ts';
import { codesOf } from '../../../referrals/referrals.ts';
import { patientsOf } from '../about.ts';
import type { InboundRow } from '../rows.ts';
import { judgeDocument } from './judge-document.ts';
import { judgeStay } from './judge-stay.ts';
import { tellRecord } from './tell-record.ts';
import {
  type Ground,
  gone,
  isOfAnother,
  type Judged,
  notForSource,
  placeOf,
  type ReadRow,
  type Verdict,
} from './verdict.ts';
import { hashOf } from './view.ts';

type RecordJudge = (ground: Ground, read: ReadRow) => Verdict;

/** By record type. Needs, goals, care plans and coverages have none: they are offered if they can be read at all. */
const judges: Readonly<Record<string, RecordJudge>> = { hospitalStay: judgeStay, note: judgeDocument };

export function judgeRecord(ground: Ground, row: InboundRow): Judged {
  const { view } = ground;
  const place = placeOf(row);
  const body = view.body(place);
  const patient = body === undefined ? (row.patient ?? undefined) : patientsOf(body, view.baseUrl)[0];
  const look = contentHash([hashOf(body), view.client(patient)?.id ?? null]);
  return { place, verdict: verdictOn(ground, row, body, patient, look), patient, look };
}

function verdictOn(
  ground: Ground,
  row: InboundRow,
  body: JsonObject | undefined,
  patient: string | undefined,
  look: string,
): Verdict {
  const { view } = ground;
  if (body === undefined) return gone(row);
  if (isOfAnother(row, patient)) return { kind: 'ask', why: 'inbound-patient-changed' };
  if (!isRecordType(row.type)) return { kind: 'keep', why: 'inbound-no-rule' };
  if (isTakenBack(body)) return notForSource(row, 'inbound-cancelled');
  if (patient === undefined || view.client(patient) === undefined) return notForSource(row, 'inbound-cancelled');
  if (view.openCases(patient).length === 0) return notForSource(row, 'inbound-no-case');
  return (judges[row.type] ?? judgeReadable)(ground, { row, body, patient, look });
}

function judgeReadable(ground: Ground, { row, body, patient }: ReadRow): Verdict {
  const told = tellRecord(ground, placeOf(row), body, patient);
  return told === undefined ? notForSource(row, 'inbound-unreadable') : { kind: 'offer', told };
}

function isTakenBack({ status, lifecycleStatus, verificationStatus }: JsonObject): boolean {
  const verified = codesOf(verificationStatus);
  const says = [status, lifecycleStatus].map((text) => (typeof text === 'string' ? text.trim() : ''));
  return (
    says.some((text) => ['entered-in-error', 'cancelled', 'revoked', 'rejected'].includes(text)) ||
    verified.some((code) => code === 'entered-in-error' || code === 'refuted')
  );
}

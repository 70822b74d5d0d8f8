// From a verdict to what is put out: what becomes of the row, what the source is told, and what a person is asked. What stands already gives nothing. Pure.

import { type ErrorCode, type Reason, reason } from '../../../errors.ts';
import { type JsonObject, textAt } from '../../../json.ts';
import type { Change } from '../../changes.ts';
import type { NewDecision } from '../../decisions/decisions.ts';
import { localName } from '../about.ts';
import type { Told } from '../propose.ts';
import type { InboundChange, InboundRow, InboundState } from '../rows.ts';
import { isOffered, type Judged, type Place } from './verdict.ts';
import { patientNamed, type View } from './view.ts';

export interface PlannedChange extends InboundChange {
  readonly change?: Change;
  readonly ask?: NewDecision;
}

type Base = Pick<PlannedChange, 'row' | 'patient' | 'look'>;

/** @returns undefined: nothing changes */
export function putOut(view: View, { place, verdict, patient, look }: Judged): PlannedChange | undefined {
  const { row } = place;
  const base: Base = {
    row: {
      resource_type: place.resourceType,
      remote_id: place.id,
      type: place.type,
      id: row?.id ?? view.proposedId(place.type, place),
      state: row?.state ?? 'new',
      look: row?.look ?? null,
      isNew: row === undefined,
    },
    patient,
    look,
  };
  switch (verdict.kind) {
    case 'stands':
    case 'read':
      return undefined;
    case 'offer':
      return offer(view, base, row, verdict.told);
    case 'withdraw':
      return row && takeBack(base, row, reason(verdict.why));
    case 'keep':
      return row ? leave(base, row, reason(verdict.why)) : { ...base, state: 'kept', reason: reason(verdict.why) };
    case 'ask': {
      const why = reason(verdict.why);
      const change = row && leave(base, row, why);
      return change && { ...change, ask: aboutInbound(place, why) };
    }
  }
}

/** The topic of the open question about it, if there was one and it answered itself. */
export function answeredBy({ place, verdict }: Judged): string[] {
  const code = place.row?.reason?.code;
  return code !== undefined && asked.includes(code) && verdict.kind !== 'ask' ? [topicOf(place)] : [];
}

function offer(view: View, base: Base, row: InboundRow | undefined, told: Told): PlannedChange | undefined {
  const offered = view.propose(told, view.input.now.toISOString());
  const isSame =
    row?.state === 'proposed' &&
    row.offered_hash === offered.hash &&
    !isOfAnotherClient(view, row.offered, offered.record, base.patient);
  if (isSame && row.reason === null && row.look === base.look) return undefined;
  const change: Change = { op: 'propose', type: told.type, id: told.id, body: offered.record };
  return { ...base, state: 'proposed', reason: undefined, offered, ...(!isSame && { change }) };
}

/** Whether it was offered of another client. That the source has taken over the client who was offered with it makes no other of them. */
function isOfAnotherClient(
  view: View,
  before: JsonObject | null,
  now: JsonObject,
  patient: string | undefined,
): boolean {
  const was = textAt(before ?? undefined, 'clientId');
  if (was === undefined || was === now.clientId) return false;
  const isAsProposed = patient !== undefined && was === view.proposedId('client', patientNamed(patient));
  return !isAsProposed || view.isKnownOtherwise(patient);
}

function takeBack(base: Base, row: InboundRow, why: Reason): PlannedChange | undefined {
  if (row.state === 'withdrawn') return undefined;
  // Nothing is there to be taken back.
  if (!isOffered(row)) return unlessSame(base, row, 'kept', why);
  const change: Change = { op: 'withdraw', type: row.type, id: row.id, body: {} };
  return { ...base, state: 'withdrawn', reason: why, change };
}

/** For the source it stays what it is. */
function leave(base: Base, row: InboundRow, why: Reason): PlannedChange | undefined {
  return unlessSame(base, row, row.state === 'proposed' || row.state === 'withdrawn' ? row.state : 'kept', why);
}

/** Nothing new: the same state for the same reason, of the same look. */
function unlessSame(base: Base, row: InboundRow, state: InboundState, why: Reason): PlannedChange | undefined {
  const isSame = row.state === state && row.reason?.code === why.code && row.look === base.look;
  return isSame ? undefined : { ...base, state, reason: why };
}

/** Those of which a person was asked. */
const asked: readonly ErrorCode[] = [
  'inbound-gone',
  'inbound-moved',
  'inbound-no-patient',
  'inbound-order-moved',
  'inbound-patient-changed',
  'inbound-patient-unknown',
  'inbound-status',
  'inbound-two-patients',
];

function topicOf(place: Place): string {
  return `inbound:${localName(place)}`;
}

function aboutInbound(place: Place, why: Reason): NewDecision {
  return {
    kind: 'inbound',
    topic: topicOf(place),
    reason: why,
    detail: {
      resourceType: place.resourceType,
      id: place.id,
      offeredAs: place.row?.offered === null ? null : (place.row?.id ?? null),
    },
    choices: [
      {
        choose: 'seen',
        effect: 'Nothing is changed on either side. It is looked at again when the server changes it.',
      },
    ],
  };
}

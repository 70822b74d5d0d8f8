// The case under which referrals of somebody are offered who has none: one that is offered already, else that of the first of them. Judged by whether a
// referral stands, and by whether the source has the client as another record. Pure.

import { contentHash } from '../../../fhir/fhir.ts';
import type { JsonObject } from '../../../json.ts';
import { originHere } from '../origin.ts';
import type { Told } from '../propose.ts';
import type { InboundRow } from '../rows.ts';
import type { ReadReferral } from './judge-referral.ts';
import { performersOf } from './request.ts';
import { type Ground, type Judged, type Place, placeOf, type Verdict } from './verdict.ts';
import type { View } from './view.ts';

export function placesOfCases(view: View, read: readonly ReadReferral[]): ReadonlyMap<string, Place> {
  const places = new Map<string, Place>();
  const keep = (patient: string | null | undefined, place: Place) => {
    if (patient == null || places.has(patient) || view.openCases(patient).length > 0) return;
    places.set(patient, place);
  };
  for (const row of view.input.rows)
    if (row.type === 'case' && row.state === 'proposed') keep(row.patient, placeOf(row));
  for (const { row: referral, patient, reading } of read) {
    if (reading.kind !== 'offer') continue;
    const named = { resourceType: referral.resource_type, id: referral.remote_id };
    keep(patient, { ...named, row: view.row('case', named), type: 'case' });
  }
  return places;
}

/** @param standing the referrals of this patient that stand */
export function judgeCase({ view, cases }: Ground, patient: string, standing: readonly Judged[]): Judged[] {
  const place = cases.get(patient);
  if (place === undefined) {
    const needless = needlessCase(view, patient);
    if (needless === undefined) return [];
    const verdict: Verdict = { kind: 'withdraw', why: 'inbound-client-known' };
    return [{ place: placeOf(needless), patient, look: needless.look ?? '', verdict }];
  }
  if (place.row?.state === 'refused' || place.row?.state === 'adopted') return [];
  const look = contentHash(standing.map((one) => one.look));
  if (standing.length === 0) return [{ place, patient, look, verdict: { kind: 'withdraw', why: 'inbound-cancelled' } }];
  const [first] = standing.flatMap((one) => (one.verdict.kind === 'offer' ? [{ ...one, told: one.verdict.told }] : []));
  if (first === undefined) return [];
  const told = tellCase(view, place, patient, first.place, first.told);
  return [{ place, patient, look, verdict: { kind: 'offer', told } }];
}

/** The case that was offered with a client who is known by now by another record, unless the source has taken it over. */
function needlessCase(view: View, patient: string): InboundRow | undefined {
  const { rows, connection } = view.input;
  const row = rows.find((one) => one.type === 'case' && one.patient === patient && one.state === 'proposed');
  if (row === undefined || !view.isKnownOtherwise(patient)) return undefined;
  const origins = (view.client(patient)?.cases ?? []).map((one) => originHere(one, connection.config.id));
  return origins.some((origin) => origin?.resourceType === row.resource_type && origin.id === row.remote_id)
    ? undefined
    : row;
}

/** @param referral the first that is offered under it */
function tellCase(view: View, { resourceType, id }: Place, patient: string, referral: Place, { fixed }: Told): Told {
  const { hospital } = view;
  const organization: JsonObject = hospital === undefined ? {} : { organizationId: hospital };
  const performer = performersOf(view, referral).find(({ type }) => type === 'organization');
  const isAgency = performer !== undefined && view.input.around.agencies.has(performer.id);
  return {
    type: 'case',
    id: view.proposedId('case', { resourceType, id }),
    origin: { resourceType, id },
    resources: [],
    fixed: {
      clientId: view.clientId(patient),
      status: 'referred',
      referredAt: fixed.sentAt ?? '',
      referralSource: { kind: 'hospital', ...organization },
      ...(isAgency && { organizationId: performer.id }),
    },
  };
}

// The patient of standing referrals as a client: judged by whether the source has them. Pure.

import type { JsonObject } from '../../../json.ts';
import { hashOfSeen } from '../../links/seen.ts';
import type { Named } from '../about.ts';
import { type Told, toldOfPatient } from '../propose.ts';
import { clientFields } from './client-fields.ts';
import { labelled } from './labels.ts';
import type { Judged, Place, Verdict } from './verdict.ts';
import { patientNamed, type View } from './view.ts';

/** @param isNeeded a referral of theirs stands */
export function judgeClient(view: View, patient: string, isNeeded: boolean): Judged[] {
  const named = patientNamed(patient);
  const row = view.row('client', named);
  const body = view.body(named);
  const isKnown = view.client(patient) !== undefined;
  if (body === undefined || row?.state === 'refused' || row?.state === 'adopted') return [];
  if (isKnown && row?.state !== 'proposed') return [];
  const verdict: Verdict =
    isNeeded && !isKnown
      ? { kind: 'offer', told: tellClient(view, named, body) }
      : { kind: 'withdraw', why: isKnown ? 'inbound-client-known' : 'inbound-cancelled' };
  const place: Place = { ...named, row, type: 'client' };
  return [{ place, patient, look: hashOfSeen(body), verdict }];
}

function tellClient(view: View, named: Named, body: JsonObject): Told {
  return {
    type: 'client',
    id: view.proposedId('client', named),
    origin: named,
    resources: [{ slot: 'patient', body }],
    elements: toldOfPatient,
    fixed: { ...clientFields(body, view.input.connection.config.identifierSystems), ...labelled([body]) },
  };
}

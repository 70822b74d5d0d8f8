// Needs, goals and coverages that a standing referral points at, offered with it: judged by whether they say enough, and of nobody else. Pure.

import { hashOfSeen } from '../../links/seen.ts';
import { localName, patientsOf, pointedAtBy } from '../about.ts';
import { bodiesOf } from './request.ts';
import { tellRecord } from './tell-record.ts';
import { type Ground, isOffered, type Judged, type Place, placeOf, type Verdict } from './verdict.ts';
import { pointedTypes } from './view.ts';

export function judgePointed(ground: Ground, standing: readonly Judged[]): Judged[] {
  const { view } = ground;
  const found = new Map<string, Judged>();
  for (const { place, patient } of standing) {
    const { order } = bodiesOf(view, place);
    for (const named of order === undefined ? [] : pointedAtBy(order, view.baseUrl)) {
      const type = pointedTypes[named.resourceType];
      const body = view.body(named);
      if (type === undefined || body === undefined || view.input.around.linked.has(localName(named))) continue;
      // Another patient's is none of this referral's business.
      if (!patientsOf(body, view.baseUrl).every((id) => id === patient)) continue;
      const row = view.row(type, named);
      if (row?.state === 'refused' || row?.state === 'adopted') continue;
      const target: Place = { ...named, row, type };
      const told = tellRecord(ground, target, body, patient ?? '');
      const verdict: Verdict =
        told === undefined ? { kind: 'keep', why: 'inbound-unreadable' } : { kind: 'offer', told };
      found.set(localName(named), { place: target, verdict, patient, look: hashOfSeen(body) });
    }
  }
  return [...found.values(), ...unseen(ground, standing).filter(({ place }) => !found.has(localName(place)))];
}

/** A standing referral that cannot be read any more points at nobody knows what: what is there and was offered of its patient stands as well. */
function unseen({ view }: Ground, standing: readonly Judged[]): Judged[] {
  const types = Object.values(pointedTypes);
  const patients = new Set(
    standing.flatMap(({ place, patient }) => (bodiesOf(view, place).order === undefined ? (patient ?? []) : [])),
  );
  return view.input.rows
    .filter((row) => isOffered(row) && types.some((type) => type === row.type))
    .filter((row) => row.patient !== null && patients.has(row.patient) && view.body(placeOf(row)) !== undefined)
    .map((row) => ({ place: placeOf(row), verdict: { kind: 'stands' }, patient: row.patient ?? undefined, look: '' }));
}

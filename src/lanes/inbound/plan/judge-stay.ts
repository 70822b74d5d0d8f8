// A stay in a hospital, from its Encounter: judged by whether it has begun and is no history yet. Pure.

import { objectAt, textAt } from '../../../json.ts';
import { tellRecord } from './tell-record.ts';
import { type Ground, isHistory, notForSource, placeOf, type ReadRow, type Verdict } from './verdict.ts';

export function judgeStay(ground: Ground, { row, body, patient }: ReadRow): Verdict {
  const { view } = ground;
  if (textAt(body, 'status') === 'planned') return notForSource(row, 'inbound-planned');
  if (isHistory(row, textAt(objectAt(body, 'period'), 'end'), view.input.now)) return notForSource(row, 'inbound-past');
  const fixed = { knownAt: row.noted_at.toISOString(), source: 'adt' };
  const told = tellRecord(ground, placeOf(row), body, patient, { fixed });
  if (told === undefined) return notForSource(row, 'inbound-no-stay');
  const { record } = view.propose(told);
  const isNamed = 'hospitalId' in record || 'hospitalName' in record;
  const hospitalId = isNamed ? undefined : view.hospital;
  return { kind: 'offer', told: hospitalId === undefined ? told : { ...told, otherwise: { hospitalId } } };
}

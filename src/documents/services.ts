// What is said of the work that the agency does itself, and of what payers have authorized. Member numbers, notes and sums of money stay out.

import { type JsonObject, numberAt, objectAt, objectsAt, textAt } from '../json.ts';
import { shown } from './clean.ts';
import { byRank, place } from './order.ts';
import { present } from './values.ts';

const interventionStatuses = ['active', 'planned', 'on-hold', 'completed', 'stopped'];
const authorizationStatuses = ['approved', 'partly-approved', 'appealed', 'pended', 'requested', 'denied', 'expired'];

export function interventionFacts(interventions: readonly JsonObject[]): JsonObject[] {
  return byRank(interventions, (one) => [place(interventionStatuses, textAt(one, 'status'))]).map((intervention) => {
    const schedule = objectAt(intervention, 'schedule');
    const done = objectsAt(intervention, 'deliveries')
      .filter(({ outcome }) => outcome === undefined || outcome === 'delivered' || outcome === 'partly')
      .toSorted((a, b) => Date.parse(textAt(b, 'at') ?? '') - Date.parse(textAt(a, 'at') ?? ''));
    return present({
      id: textAt(intervention, 'id'),
      kind: textAt(intervention, 'kind'),
      description: shown(textAt(intervention, 'description'), 160),
      status: textAt(intervention, 'status'),
      startsOn: textAt(schedule, 'startsOn'),
      endsOn: textAt(schedule, 'endsOn'),
      times: numberAt(schedule, 'times'),
      per: textAt(schedule, 'per'),
      deliveries: done.length === 0 ? undefined : done.length,
      lastAt: textAt(done[0], 'at'),
    });
  });
}

/** A draft has not been asked for yet. */
export function authorizationFacts(coverages: readonly JsonObject[]): JsonObject[] {
  const all = coverages.flatMap((coverage) =>
    objectsAt(coverage, 'authorizations')
      .filter(({ status }) => status !== 'draft')
      .map((authorization) => {
        const approved = numberAt(authorization, 'unitsApproved');
        const used = numberAt(authorization, 'unitsUsed') ?? 0;
        return present({
          id: `${textAt(coverage, 'id')}/${textAt(authorization, 'id')}`,
          service: shown(textAt(authorization, 'service'), 90),
          plan: shown(textAt(coverage, 'planName'), 60) ?? textAt(coverage, 'kind')?.replaceAll('-', ' '),
          status: textAt(authorization, 'status'),
          approved,
          left: approved === undefined ? undefined : Math.round((approved - used) * 100) / 100,
          unit: textAt(authorization, 'unit'),
          endsOn: textAt(authorization, 'endsOn'),
        });
      }),
  );
  return byRank(all, (one) => [place(authorizationStatuses, textAt(one, 'status')), textAt(one, 'endsOn') ?? '9999']);
}

// What the status of an order that began on the other side says. Pure.

import { reason } from '../../errors.ts';
import { readOrder } from '../../referrals/referrals.ts';
import { nameOf } from '../lane-resource.ts';
import { sameFact } from '../merge.ts';
import { seenBase } from './bases.ts';
import { withOffered } from './offered-referral.ts';
import type { Look, Settled } from './settlement.ts';
import { statusDecision } from './status-questions.ts';

/** The status of an order that the other side has given: it moves along no diagram of ours, and is read by the referral rules. */
export function settleOrder(look: Look, settled: Settled): Settled {
  const { resource, link, observed, observedFacts, context } = look;
  const before = seenBase(look)?.status;
  if (resource.resourceType !== 'ServiceRequest' || link.origin !== 'theirs' || sameFact(observedFacts.status, before))
    return settled;
  const { referral, dates } = withOffered(look);
  const reading = readOrder({
    referral,
    order: observed.body,
    before: typeof before === 'string' ? before : undefined,
    by: context.performerName(resource),
    itemId: (text) => context.itemId(`${nameOf(resource.key)} ${text}`),
  });
  const patch = 'patch' in reading ? reading.patch : undefined;
  const told = patch === undefined ? settled : { ...settled, patches: [...settled.patches, { ...dates, ...patch }] };
  if (reading.kind !== 'decision') return told;
  const why = reason('status-read', { status: String(observed.body.status), why: reading.why });
  return { ...told, decisions: [...told.decisions, statusDecision(look, 'status', why)] };
}

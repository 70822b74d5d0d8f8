// What the server or FHIR refuses is asked about once per lane, however many resources it is: try again, or set these versions aside. The lane
// stays parked while the question is open, and the question closes by itself when nothing of the lane is refused any more.

import { isDeepStrictEqual } from 'node:util';
import { reason } from '../../errors.ts';
import type { JsonObject } from '../../json.ts';
import type { Database, SetAside, Transaction } from '../../store/store.ts';
import { nameOf } from '../lane-resource.ts';
import type { Lease } from '../lease.ts';
import type { ResourceState } from '../plan.ts';
import type { DecisionRow } from './decisions.ts';
import { type Choice, closeObsolete, openDecision } from './decisions.ts';
import { canBeSetAside, setAside } from './set-aside.ts';

/** One open question per lane. */
const refusedTopic = 'refused';

/** Whether the question is open. */
export function isAsked(open: readonly DecisionRow[]): boolean {
  return open.some(({ topic }) => topic === refusedTopic);
}

/** @param stuck what is in need of mending in this lane, after a run @param open the questions that were open before it */
export async function askAboutRefused(
  trx: Transaction<Database>,
  lease: Lease,
  stuck: readonly ResourceState[],
  open: readonly DecisionRow[],
): Promise<void> {
  const before = open.find(({ topic }) => topic === refusedTopic);
  const resources = stuck.flatMap(({ resource, reason: why }) =>
    why === undefined || why.code.startsWith('patient-')
      ? []
      : [{ resource: nameOf(resource.key), version: resource.recordVersion, code: why.code, text: why.text }],
  );
  if (resources.length === 0) {
    if (before !== undefined) await closeObsolete(trx, lease, [refusedTopic]);
    return;
  }
  const detail: JsonObject = { resources };
  if (before !== undefined && isDeepStrictEqual(before.detail, detail)) return;
  const isSkippable = stuck.some(({ resource, reason: why }) => why !== undefined && canBeSetAside(resource.key, why));
  await openDecision(trx, lease, {
    kind: 'refused-write',
    topic: refusedTopic,
    reason: reason('refused-write', { count: resources.length === 1 ? '1 resource' : `${resources.length} resources` }),
    detail,
    choices: isSkippable ? [retry, skip] : [retry],
  });
}

const retry: Choice = { choose: 'retry', effect: 'Send the listed resources again at once, as they are now.' };
const skip: Choice = {
  choose: 'skip',
  effect: 'Leave the listed versions unsent until their records have new ones. What needs them goes on waiting.',
};

/** `retry` needs nothing here: the answer itself takes the lane out of its park. */
export async function settleRefused(
  trx: Transaction<Database>,
  decision: { readonly connection: string; readonly subject: string; readonly choice: string },
  signed: Omit<SetAside, 'version' | 'reason'>,
): Promise<void> {
  if (decision.choice === 'skip') await setAside(trx, decision, undefined, signed);
}

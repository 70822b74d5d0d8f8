// What the status of an order (ServiceRequest) means for our record of it, when the other side has changed it: the word of the requester, where that is
// not us ("Referral states, both ways", the paragraph on ServiceRequest). Pure.

import { type JsonObject, objectAt, objectsAt, textAt } from '../json.ts';
import { isInstant } from '../records/records.ts';
import { isEnded } from './ask-to-cancel.ts';
import type { TaskReading } from './read-task.ts';

export interface OrderObservation {
  readonly referral: JsonObject;
  readonly order: JsonObject;
  /** Its status at the last agreement. */
  readonly before: string | undefined;
  readonly by: string | undefined;
  readonly itemId: (text: string) => string;
}

/** Reads an order of theirs whose status has changed. */
export function readOrder({ referral, order, before, by, itemId }: OrderObservation): TaskReading {
  const status = textAt(order, 'status')?.trim();
  const known = textAt(referral, 'status') ?? '';
  if (status === before || status === undefined) return { kind: 'unchanged' };
  const isFinal = isEnded(referral);
  const history = objectsAt(referral, 'history');
  const told = [objectAt(order, 'meta')?.lastUpdated, referral.updatedAt].find(isInstant);
  const at = told ?? '1970-01-01T00:00:00Z';
  const item = { id: itemId(`order ${status} ${before ?? ''}`), at, ...(by !== undefined && { byName: by }) };
  const to = status === 'revoked' ? 'cancelled' : status === 'entered-in-error' ? status : undefined;
  if (to === undefined) {
    const isExpected = status === 'completed' ? isFinal : status === 'active' && !isFinal;
    if (isExpected) return { kind: 'unchanged' };
    // That they wait with it is part of the referral's story, and no move of ours.
    const isNews = status === 'on-hold' && !isFinal && !history.some(({ id }) => id === item.id);
    const held = { ...item, status: known, reason: 'The order is on hold.' };
    return { kind: 'decision', why: 'order-moved', ...(isNews && { patch: { history: [...history, held] } }) };
  }
  // What we say of it ourselves: the requester closes the order of a referral that we declined or that failed.
  if (known === to || (to === 'cancelled' && (known === 'declined' || known === 'failed')))
    return { kind: 'unchanged' };
  if (to === 'cancelled' && isFinal) return { kind: 'decision', why: 'left-final-state' };
  return { kind: 'patch', patch: { status: to, history: [...history, { ...item, status: to }] }, implied: [] };
}

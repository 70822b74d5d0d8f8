// The care plan of the document: which one, and what is said of it.

import { type JsonObject, numberAt, objectsAt, textAt, textsAt } from '../json.ts';
import { shown } from './clean.ts';
import { byRank, place } from './order.ts';
import { present } from './values.ts';

/** Days between two reviews where the plan does not say (records.md 5.1). */
const defaultReviewDays = 30;

const shownStatuses = ['active', 'on-hold', 'completed', 'revoked'];

/** The plan in force, else the last one that was; a draft is nobody's plan yet. */
export function planOf(plans: readonly JsonObject[]): JsonObject | undefined {
  const known = plans.filter((plan) => shownStatuses.includes(textAt(plan, 'status') ?? ''));
  const newestFirst = byRank(known, () => []).toSorted((a, b) =>
    (textAt(b, 'startsOn') ?? '').localeCompare(textAt(a, 'startsOn') ?? ''),
  );
  return newestFirst.toSorted(
    (a, b) => place(shownStatuses, textAt(a, 'status')) - place(shownStatuses, textAt(b, 'status')),
  )[0];
}

/** Where each id stands in a list of the plan: order = order of importance. */
export function positions(plan: JsonObject | undefined, field: string): Map<string, number> {
  return new Map(textsAt(plan, field).map((id, index) => [id, index]));
}

export function planFacts(plan: JsonObject): JsonObject {
  const review = objectsAt(plan, 'reviews').toSorted((a, b) => instant(b, 'at') - instant(a, 'at'))[0];
  return present({
    id: textAt(plan, 'id'),
    title: shown(textAt(plan, 'title'), 100),
    summary: shown(textAt(plan, 'summary'), 160),
    status: textAt(plan, 'status'),
    startsOn: textAt(plan, 'startsOn'),
    endsOn: textAt(plan, 'endsOn'),
    activatedAt: textAt(plan, 'activatedAt'),
    reviewEveryDays: numberAt(plan, 'reviewEveryDays') ?? defaultReviewDays,
    reviewId: textAt(review, 'id'),
    reviewedAt: textAt(review, 'at'),
    reviewOutcome: textAt(review, 'outcome'),
    signatures: objectsAt(plan, 'signatures')
      .filter((signature) => signature.signedAt !== undefined)
      .toSorted((a, b) => instant(a, 'signedAt') - instant(b, 'signedAt'))
      .map((signature) =>
        present({ id: textAt(signature, 'id'), role: textAt(signature, 'role'), at: textAt(signature, 'signedAt') }),
      ),
  });
}

function instant(object: JsonObject, name: string): number {
  return Date.parse(textAt(object, name) ?? '') || 0;
}

// Whether an edition goes at once or joins the next one (closed-loop.md B8): at once for what a hospital must not learn tomorrow.

import { isDeepStrictEqual } from 'node:util';
import { type Reason, reason } from '../errors.ts';
import { objectAt, objectsAt, textAt } from '../json.ts';
import type { DocumentFacts } from './facts.ts';
import { isFinal } from './referrals.ts';

/**
 * Why an edition must go at once: somebody who is named may not be named any more, plan activated, review signed, referral final, a referral of the hospital answered, safety changed. Undefined: it may wait for the quiet
 * period. Without an edition before, all that the facts hold is news.
 * @param unnamed as `unnamedPlaces` has them now
 */
export function urgency(
  before: DocumentFacts | undefined,
  after: DocumentFacts,
  unnamed: readonly string[] = [],
): Reason | undefined {
  const old = before ?? {};
  if (nameLeft(old, after, unnamed)) return reason('document-name-left');
  if (safetyChanged(old, after)) return reason('document-safety');
  if (planActivated(old, after)) return reason('document-plan-activated');
  if (reviewSigned(old, after)) return reason('document-review');
  if (referralFinal(old, after)) return reason('document-referral-final');
  if (referralAnswered(old, after)) return reason('document-referral-answered');
  return undefined;
}

/** Who merely leaves the case may wait; who may not be named may not. */
function nameLeft(before: DocumentFacts, after: DocumentFacts, unnamed: readonly string[]): boolean {
  const still = names(after, unnamed);
  return names(before, unnamed).some((name) => !still.includes(name));
}

/** What is said in these places of whom to talk to. */
function names(facts: DocumentFacts, places: readonly string[]): string[] {
  const all = [{ ...objectAt(facts, 'worker'), key: 'worker' }, ...objectsAt(facts, 'careTeam')];
  return all
    .filter(({ key }) => typeof key === 'string' && places.includes(key))
    .flatMap((one) => ['name', 'organization', 'phone'].flatMap((field) => textAt(one, field) ?? []));
}

// A description that reads otherwise is not another danger.
function safetyChanged(before: DocumentFacts, after: DocumentFacts): boolean {
  return !isDeepStrictEqual(dangers(before), dangers(after));
}

function dangers(facts: DocumentFacts): Map<string, string> {
  return new Map(
    objectsAt(facts, 'safety').map((concern) => [
      textAt(concern, 'key') ?? '',
      JSON.stringify([concern.risk ?? null, concern.domain ?? null, concern.status ?? null]),
    ]),
  );
}

function planActivated(before: DocumentFacts, after: DocumentFacts): boolean {
  const [was, is] = [objectAt(before, 'plan'), objectAt(after, 'plan')];
  if (is?.status !== 'active') return false;
  return was?.id !== is.id || was?.status !== 'active' || was.activatedAt !== is.activatedAt;
}

function reviewSigned(before: DocumentFacts, after: DocumentFacts): boolean {
  const [was, is] = [objectAt(before, 'plan'), objectAt(after, 'plan')];
  if (is === undefined) return false;
  const known = objectsAt(was, 'signatures').map(({ id }) => id);
  const signed = objectsAt(is, 'signatures').some(({ id }) => !known.includes(id));
  return signed || (is.reviewId !== undefined && was?.reviewId !== is.reviewId);
}

/** The hospital has asked, and waits for the answer. */
function referralAnswered(before: DocumentFacts, after: DocumentFacts): boolean {
  const known = new Map(objectsAt(before, 'referrals').map((referral) => [referral.id, textAt(referral, 'status')]));
  return objectsAt(after, 'referrals').some(({ id, direction, status }) => {
    const was = known.get(id) ?? 'received';
    return direction === 'incoming' && status !== was && !unanswered.includes(String(status));
  });
}

const unanswered = ['sent', 'received', 'undeliverable'];

function referralFinal(before: DocumentFacts, after: DocumentFacts): boolean {
  const known = new Map(objectsAt(before, 'referrals').map((referral) => [referral.id, textAt(referral, 'status')]));
  return objectsAt(after, 'referrals').some(
    (referral) => isFinal(textAt(referral, 'status')) && known.get(referral.id) !== textAt(referral, 'status'),
  );
}

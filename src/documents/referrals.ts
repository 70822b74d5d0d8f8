// What is said of a referral: with whom, for what, where it stands, what came of it. No comment is shown, internal or shared: they are talk
// with the partner. A draft has not left the agency and is not shown.

import { type JsonObject, objectAt, objectsAt, textAt } from '../json.ts';
import { shown } from './clean.ts';
import { type Find, nameable, organizationName, pointedAt } from './directory.ts';
import { byRank, place } from './order.ts';
import { present } from './values.ts';

const finals = ['completed', 'failed', 'declined', 'cancelled'];
const urgencies = ['emergency', 'asap', 'urgent', 'routine'];

/** No more moves follow (records.md 6.2). */
export function isFinal(status: string | undefined): boolean {
  return finals.includes(status ?? '');
}

export function referralFacts(referrals: readonly JsonObject[], find: Find): JsonObject[] {
  const sent = referrals.filter((referral) => referral.status !== 'draft');
  const replaced = new Set(sent.map((referral) => textAt(referral, 'replacesId')));
  return byRank(sent, (referral) => [
    isFinal(textAt(referral, 'status')) ? 1 : 0,
    place(urgencies, textAt(referral, 'urgency')),
    -lastMoveAt(referral),
  ]).map((referral) => {
    const move = lastMove(referral);
    const [sent, received] = [textAt(referral, 'sentAt'), textAt(referral, 'receivedAt')];
    const outcome = objectAt(referral, 'outcome');
    const service = pointedAt(find, referral, 'serviceId', 'service');
    return present({
      id: textAt(referral, 'id'),
      direction: textAt(referral, 'direction'),
      partner: partnerName(referral, service, find),
      service: shown(textAt(service, 'name'), 90) ?? textAt(referral, 'requestedService')?.replaceAll('-', ' '),
      domain: textAt(referral, 'domain'),
      request: shown(textAt(referral, 'requestedText'), 120),
      urgency: textAt(referral, 'urgency'),
      status: textAt(referral, 'status'),
      since: textAt(move, 'at'),
      reason: shown(textAt(referral, 'declineText') ?? textAt(move, 'reason'), 120),
      declineReason: textAt(referral, 'declineReason'),
      sentAt: referral.direction === 'incoming' ? (received ?? sent) : (sent ?? received),
      neededBy: textAt(referral, 'neededBy'),
      expectedOn: textAt(objectAt(referral, 'waitlist'), 'expectedOn'),
      contact: lastContact(referral),
      outcome:
        outcome &&
        present({
          code: textAt(outcome, 'code'),
          at: textAt(outcome, 'at'),
          text: shown(textAt(outcome, 'text'), 120),
          confirmedBy: textAt(outcome, 'confirmedBy'),
        }),
      followUpDueAt: nextFollowUp(referral),
      cancelAsked:
        (objectAt(referral, 'cancelRequest') !== undefined && !isFinal(textAt(referral, 'status'))) || undefined,
      replaced: replaced.has(textAt(referral, 'id')) || undefined,
    });
  });
}

/** Outgoing: who performs it. Incoming: who asked us. */
function partnerName(referral: JsonObject, service: JsonObject | undefined, find: Find): string | undefined {
  if (referral.direction === 'incoming') {
    return organizationName(pointedAt(find, referral, 'requesterOrganizationId', 'organization'));
  }
  const own = pointedAt(find, referral, 'organizationId', 'organization');
  const running = textAt(service, 'organizationId');
  return organizationName(
    own ?? (running === undefined ? undefined : nameable(find('organization', running), referral)),
  );
}

function lastMove(referral: JsonObject): JsonObject | undefined {
  return objectsAt(referral, 'history').findLast((move) => move.status === referral.status);
}

function lastMoveAt(referral: JsonObject): number {
  return Date.parse(textAt(lastMove(referral), 'at') ?? '') || 0;
}

// The newest of the first contact and the follow-ups done, whatever came of it.
function lastContact(referral: JsonObject): JsonObject | undefined {
  const first = objectAt(referral, 'firstContact');
  const contacts = objectsAt(referral, 'followUps').flatMap((each) => {
    const at = textAt(each, 'doneAt');
    return at === undefined ? [] : [{ at, outcome: textAt(each, 'outcome') }];
  });
  const at = textAt(first, 'at');
  if (at !== undefined) contacts.push({ at, outcome: textAt(first, 'outcome') });
  const [latest] = contacts.toSorted((a, b) => Date.parse(b.at) - Date.parse(a.at));
  return latest && present(latest);
}

function nextFollowUp(referral: JsonObject): string | undefined {
  if (isFinal(textAt(referral, 'status'))) return undefined;
  return objectsAt(referral, 'followUps')
    .filter((each) => each.doneAt === undefined)
    .flatMap((each) => textAt(each, 'dueAt') ?? [])
    .toSorted((a, b) => Date.parse(a) - Date.parse(b))[0];
}

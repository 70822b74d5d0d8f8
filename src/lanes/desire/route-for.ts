// Which way a resource takes, and why none: by what the server offers, whose it is, what it is shared for and what consent allows. Pure.

import { isDirectoryType, withheldBy } from '../../access/access.ts';
import type { Route } from '../../connections/connections.ts';
import { type Reason, reason } from '../../errors.ts';
import { type JsonObject, textAt } from '../../json.ts';
import type { SlotRef } from '../../mapping/mapping.ts';
import type { RecordType } from '../../records/records.ts';
import { cancelRequestOf, isEnded, isTaskStatus, isTerminal } from '../../referrals/referrals.ts';
import { cancellationSlot } from '../cancel-question.ts';
import { takesNotes } from '../inbound/answer-note.ts';
import { originHere } from '../inbound/origin.ts';
import { isRefusal } from '../inbound/refuse.ts';
import type { LaneResource, ResourceKey } from '../lane-resource.ts';
import { type DesireInput, slotOf } from './desire-input.ts';
import type { LinkRow, RecordRow } from './known.ts';
import { clientTypes, isShared, referredTo } from './share.ts';
import { consentQuestion, receiverOf } from './told.ts';

export function routeFor(
  input: DesireInput,
  row: RecordRow,
  key: ResourceKey,
  resourceType: string,
  standing: LinkRow | undefined,
): LaneResource['route'] {
  const unasked = key.slot === cancellationSlot && standing === undefined ? notAskedByTask(input, row) : undefined;
  if (unasked !== undefined) return { route: 'off', reason: unasked };
  const listed = input.abilities.routes.find(
    (entry) => entry.recordType === key.type && entry.resourceType === resourceType,
  );
  const route: Route = listed?.route ?? 'off';
  // To look for a client is to tell a server of them.
  const isAnswer = route === 'answer' && (standing?.origin === 'theirs' || resourceType === 'Communication');
  const tells = route === 'native' || route === 'document' || isAnswer || (route === 'read' && key.type === 'client');
  if (!tells) {
    const isUnanswered = route === 'off' && resourceType === 'Task' && standing?.origin === 'theirs';
    return { route, reason: isUnanswered ? answerReason(input, listed?.reason) : listed?.reason };
  }
  if (!isOfReferral(input, row.content, key.type)) return { route: 'withheld', reason: reason('not-referred') };
  const isTheirs = slotOf(input, key)?.owner(row.content) === 'remote';
  const begun = originHere(row.content, input.connection.config.id)?.resourceType === resourceType;
  // A note that answers a document of theirs makes no second one there, by whatever way.
  const isTheirDocument = resourceType === 'DocumentReference' && (standing ? standing.origin === 'theirs' : begun);
  const isMadeThere = route === 'native' && (isTheirs || begun) && key.type !== 'client' && standing === undefined;
  if (isMadeThere || isTheirDocument) return { route: 'read', reason: reason('theirs-to-make') };
  // The refusal of a proposal tells the other side nothing but that.
  if (isRefusal(row)) return { route, reason: listed?.reason };
  const withheld = isDirectoryType(key.type) ? undefined : withheldBy(consentQuestion(input, row.content, key.type));
  const over = withheld ?? overReason(input, row.content, key.type);
  if (over !== undefined) return { route: 'withheld', reason: over };
  return { route, reason: route === 'native' ? undefined : listed?.reason, why: listed?.reason };
}

/** Why no Task of its own asks the performer to cancel; undefined: one does. */
function notAskedByTask(input: DesireInput, { content }: RecordRow): Reason | undefined {
  const { cancellation } = input.connection.config;
  if (cancellation === 'bser') return reason('cancel-in-task');
  if (cancellation === undefined || isCopy(input, content, 'Task', undefined)) return reason('cancel-not-asked');
  return cancelRequestOf(content) === undefined ? reason('cancel-over') : undefined;
}

/** A Task that we make on a server where it does not live: by configuration, or because its performer is a partner of ours. */
export function isCopy(
  input: DesireInput,
  record: JsonObject,
  resourceType: string,
  standing: LinkRow | undefined,
): boolean {
  const { task, copiesOf = [] } = input.connection.config;
  if (resourceType !== 'Task' || standing?.origin === 'theirs') return false;
  if (task === 'copy') return true;
  const own = copiesOf.filter(({ source }) => source === input.lease.source);
  return own.some(({ id }) => referredTo(id, [record], (service) => organizationOf(input, service)).length > 0);
}

function organizationOf({ known }: DesireInput, serviceId: string): string | undefined {
  return textAt(known.record('service', serviceId), 'organizationId');
}

/** A Task that began there and is not written is answered by a note, or not at all. */
function answerReason({ abilities }: DesireInput, listed: Reason | undefined): Reason | undefined {
  return takesNotes(abilities) ? listed : reason('route-task-off-unanswered');
}

function isOfReferral(input: DesireInput, record: JsonObject, type: RecordType): boolean {
  if (input.connection.config.share === undefined) return true;
  return isShared({ type, record, referred: referredHere(input) });
}

function referredHere(input: DesireInput): JsonObject[] {
  return referredTo(receiverOf(input), input.referrals, (service) => organizationOf(input, service));
}

/**
 * Why nothing new is told of a client whom no open referral to the receiver speaks of any more (closed-loop B4). It is no cause for leaving: what went
 * there while it was needed stays as it is, but that it was an error is told all the same.
 */
function overReason(input: DesireInput, record: JsonObject, type: RecordType): Reason | undefined {
  const tells = clientTypes.some((one) => one === type) && record.status !== 'entered-in-error';
  if (input.connection.config.share === undefined || !tells) return undefined;
  const referred = referredHere(input).filter((referral) => !isOver(input, referral));
  return isShared({ type, record, referred })
    ? undefined
    : reason('referral-over', { organization: receiverOf(input) ?? '' });
}

/** Its source has ended it, and its Task there says so: until then what it points at may have to be sent. */
function isOver({ known }: DesireInput, referral: JsonObject): boolean {
  const { id } = referral;
  if (typeof id !== 'string' || !isEnded(referral)) return false;
  const target: SlotRef = { type: 'referral', id, slot: 'fulfilment' };
  const link = known.link(target);
  const there = link?.seen?.status;
  return link === undefined ? known.generations(target).length > 0 : isTaskStatus(there) && isTerminal(there);
}

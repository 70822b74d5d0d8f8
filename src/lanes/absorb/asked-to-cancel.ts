// What it means that a Task of theirs asks us to cancel, or does so no more. Pure.

import { isObject, type JsonObject, objectAt, textAt } from '../../json.ts';
import { changedAt, isAskedToCancel, isEnded, isTaskStatus, isTerminal, requestIn } from '../../referrals/referrals.ts';
import { askedKey } from '../cancel-question.ts';
import { withFact } from '../merge.ts';
import { type Look, type Settled, withMove } from './settlement.ts';

/** A Task that we perform asks us to cancel, or not any more: told once for each asking. */
export function settleQuestion(look: Look, settled: Settled): Settled {
  const { resource, link, record, observed } = look;
  if (resource.key.slot !== 'fulfilment' || link.origin !== 'theirs' || resource.recordVersion === 0) return settled;
  const heard = link.sent?.[askedKey];
  const isAsked = isAskedToCancel(observed.body);
  if (isAsked === (heard !== undefined)) return settled;
  const known = objectAt(record, 'cancelRequest');
  if (isAsked) {
    const request = requestIn(observed.body, changedAt(observed.body));
    const isOpen = known !== undefined && known.answeredAt === undefined;
    const asked: JsonObject = { at: isOpen ? (textAt(known, 'at') ?? request.at) : request.at };
    const told =
      isOpen || isEnded(record) ? settled : withMove(look, settled, 'status', { cancelRequest: { ...request } });
    return { ...told, sent: withFact(told.sent, askedKey, asked) };
  }
  const { status } = observed.body;
  const isOver = isEnded(record) || (isTaskStatus(status) && isTerminal(status));
  const isTheirs = known === undefined || (isObject(heard) && known.at === heard.at && known.answeredAt === undefined);
  const told = isOver || !isTheirs ? settled : withMove(look, settled, 'status', { cancelRequest: null });
  return { ...told, sent: withFact(told.sent, askedKey, undefined) };
}

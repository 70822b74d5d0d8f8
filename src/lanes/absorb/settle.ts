// Takes in what a server holds now: moves the bases, offers their changes to the source, and asks where only a person can tell.
// Runs before planning, so that the plan sees nothing but our own work. Pure; `absorb.ts` stores what it says.

import { isDeepStrictEqual } from 'node:util';
import { isRecalled, type LaneResource, type LinkState } from '../lane-resource.ts';
import { settleQuestion } from './asked-to-cancel.ts';
import { saysAll } from './bases.ts';
import { withFields } from './both-changes.ts';
import { answeredTopics, askedAnew } from './element-questions.ts';
import { mergeElements } from './merge-elements.ts';
import { settleOrder } from './order-status.ts';
import type { Look, SettleContext, Settlement } from './settlement.ts';
import { settleMove } from './status-move.ts';

const settled = new WeakSet<LaneResource>();

/** Undefined: nothing about this resource is new; then nothing is new of the same object either, whatever the context. */
export function settle(resource: LaneResource, context: SettleContext): Settlement | undefined {
  if (settled.has(resource)) return undefined;
  const settlement = settleNew(resource, context);
  if (settlement === undefined) settled.add(resource);
  return settlement;
}

function settleNew(resource: LaneResource, context: SettleContext): Settlement | undefined {
  const { link, slot, desired, observed, record, leave } = resource;
  if (
    link === undefined ||
    slot === undefined ||
    desired === undefined ||
    observed === undefined ||
    record === undefined
  )
    return undefined;
  // What is taken back after a withdrawal is blanked there: what the other side said in it is offered to the source first.
  if (link.origin === 'found' || (leave !== undefined && !isRecalled(leave))) return undefined;
  const look: Look = {
    resource,
    link,
    observed,
    record,
    said: withFields(record, context.offeredOf(resource)),
    desired: desired.facts,
    observedFacts: slot.facts(observed.body),
    context,
  };
  const merged = mergeElements(look);
  const moved = settleQuestion(look, settleOrder(look, settleMove(look, merged)));
  const renewed = askedAnew(look);
  const decisions = [...moved.decisions, ...renewed];
  const settlement: Settlement = {
    resource,
    seenHash: observed.hash,
    obsolete: [...answeredTopics(look), ...renewed.map(({ topic }) => topic)],
    ...moved,
    decisions,
    sentVersion: saysAll(resource, moved.sent, look.desired, decisions) ? resource.recordVersion : link.sentVersion,
  };
  return isNews(settlement, link) ? settlement : undefined;
}

function isNews(settlement: Settlement, link: LinkState): boolean {
  return (
    settlement.seenHash !== link.seenHash ||
    link.isRebased === true ||
    settlement.patches.length + settlement.decisions.length + settlement.obsolete.length > 0 ||
    !isDeepStrictEqual(settlement.sent, link.sent) ||
    !isDeepStrictEqual(settlement.seen, link.seen)
  );
}

// A referral that the other side has begun and no record of ours answers yet: whether it is one for us, and whether it is still open. What has an
// answer is read by `read-task.ts` and `read-order.ts`. Pure.

import type { ErrorCode } from '../errors.ts';
import { type JsonObject, textAt } from '../json.ts';
import { isAbort, isAskedToCancel } from './ask-to-cancel.ts';
import { codesOf } from './codes.ts';
import { patientTaskKind } from './patient-tasks.ts';
import { isTaskStatus, isTerminal, type TaskStatus } from './task-moves.ts';

export interface BegunReferral {
  /** Absent where the server has no Tasks: then the order alone is the referral. */
  readonly task?: JsonObject;
  /** Absent: the Task names none, or nobody may see it. */
  readonly order?: JsonObject;
  /** Statuses of both when it was offered last; absent: it never was, or was taken back. */
  readonly offered?: { readonly task: string | undefined; readonly order: string | undefined };
  /** It was offered once and taken back. */
  readonly isWithdrawn: boolean;
  /** It is asked of us; `open`: of nobody in particular. */
  readonly performer: 'ours' | 'open' | 'others';
  /** It carries out a part of a referral of ours (closed-loop B1, indirect). */
  readonly isPartOfOurs: boolean;
  /** Somebody carries it out, or a part of it, by a Task of their own. */
  readonly isPassedOn: boolean;
}

export type BegunReading =
  /** For the source: a referral that stands so. */
  | { readonly kind: 'offer'; readonly status: 'received' | 'accepted' | 'in-progress' | 'on-hold' }
  /** Nothing for the source. */
  | { readonly kind: 'keep'; readonly why: ErrorCode }
  /** What was offered is taken back. */
  | { readonly kind: 'withdraw'; readonly why: ErrorCode }
  /** Nothing changes; a person must look. */
  | { readonly kind: 'ask'; readonly why: ErrorCode };

const referralCodes = ['fulfill', 'community-resource'];
const noOrders = ['proposal', 'plan', 'option'];

export function readBegun(begun: BegunReferral): BegunReading {
  const { task } = begun;
  if (task !== undefined && isAbort(task)) return { kind: 'keep', why: 'inbound-cancel-asked' };
  if (task !== undefined && !isReferral(task)) return { kind: 'keep', why: 'inbound-no-referral' };
  const others = othersBusiness(begun);
  if (others !== undefined) return { kind: begun.offered === undefined ? 'keep' : 'withdraw', why: others };
  return task === undefined ? readOrderAlone(begun) : (readItsOrder(begun) ?? readItsTask(begun, task));
}

/** Why it is for others to perform. What is asked of us by name is ours, whatever it is a part of. */
function othersBusiness({ performer, isPartOfOurs, isPassedOn }: BegunReferral): ErrorCode | undefined {
  if (performer === 'ours') return undefined;
  if (isPartOfOurs) return 'inbound-sub-task';
  if (performer === 'others') return 'inbound-not-ours';
  return isPassedOn ? 'inbound-passed-on' : undefined;
}

/**
 * Whether a Task passes on what it is part of: whoever made it has taken that up, and an end of this part does not give it back to all. A draft says
 * nothing yet, and an error never did.
 */
export function passesOn(task: JsonObject): boolean {
  return isReferral(task) && task.status !== 'draft' && task.status !== 'entered-in-error';
}

function isReferral(task: JsonObject): boolean {
  const isOrder = !noOrders.includes(textAt(task, 'intent') ?? 'order');
  return (
    isOrder && patientTaskKind(task) === undefined && codesOf(task.code).some((code) => referralCodes.includes(code))
  );
}

/** What the requester says of the order goes for the Task. */
function readItsOrder({ order, offered }: BegunReferral): BegunReading | undefined {
  switch (order?.status) {
    case 'revoked':
    case 'entered-in-error':
      return { kind: offered === undefined ? 'keep' : 'withdraw', why: 'inbound-cancelled' };
    case 'completed':
    case 'on-hold':
      return offered === undefined || offered.order === order.status
        ? undefined
        : { kind: 'ask', why: 'inbound-order-moved' };
    default:
      return undefined;
  }
}

function readItsTask({ offered, isWithdrawn, performer }: BegunReferral, task: JsonObject): BegunReading {
  // What the requester sets to ask us to cancel says nothing of where the referral stands.
  const before = isTaskStatus(offered?.task) ? offered.task : 'requested';
  const status = task.status === 'in-progress' && isAskedToCancel(task) ? before : task.status;
  if (!isTaskStatus(status)) return { kind: 'ask', why: 'inbound-status' };
  if (offered !== undefined) return readOffered(offered.task, status);
  if (status === 'draft') return { kind: 'keep', why: 'inbound-draft' };
  if (isTerminal(status)) return { kind: 'keep', why: 'inbound-ended' };
  if (isWithdrawn) return { kind: 'ask', why: 'inbound-moved' };
  const isBegun = status === 'accepted' || status === 'in-progress' || status === 'on-hold';
  // Whoever has taken up what was open to all need not be us.
  if (isBegun && performer === 'open') return { kind: 'keep', why: 'inbound-not-ours' };
  return { kind: 'offer', status: isBegun ? status : 'received' };
}

/** Only we may move it on, and we have not; the requester may take it back. */
function readOffered(before: string | undefined, status: TaskStatus): BegunReading {
  if (status === 'cancelled' || status === 'entered-in-error') return { kind: 'withdraw', why: 'inbound-cancelled' };
  if (status !== before) return { kind: 'ask', why: 'inbound-moved' };
  const isBegun = status === 'accepted' || status === 'in-progress' || status === 'on-hold';
  return { kind: 'offer', status: isBegun ? status : 'received' };
}

function readOrderAlone({ order, offered, isWithdrawn }: BegunReferral): BegunReading {
  switch (order?.status) {
    case 'active':
      return isWithdrawn ? { kind: 'ask', why: 'inbound-order-moved' } : { kind: 'offer', status: 'received' };
    case 'draft':
      return offered === undefined
        ? { kind: 'keep', why: 'inbound-draft' }
        : { kind: 'ask', why: 'inbound-order-moved' };
    case 'revoked':
    case 'entered-in-error':
      return { kind: offered === undefined ? 'keep' : 'withdraw', why: 'inbound-cancelled' };
    case 'completed':
      return offered === undefined
        ? { kind: 'keep', why: 'inbound-ended' }
        : { kind: 'ask', why: 'inbound-order-moved' };
    case 'on-hold':
      return { kind: offered === undefined ? 'keep' : 'ask', why: 'inbound-order-moved' };
    default:
      return { kind: 'ask', why: 'inbound-status' };
  }
}

// A referral as it would be, had its source taken over what it was offered. Pure.

import { type JsonObject, objectsAt } from '../../json.ts';
import { joinedComments } from '../inbound/their-comments.ts';
import type { Look } from './settlement.ts';

/**
 * The referral with the steps and the outcome that its source was offered and has not taken over. The next change says the steps again: whoever takes
 * over only that one has all of them.
 */
export function withOffered({ resource, record, context }: Look): {
  readonly referral: JsonObject;
  readonly dates: JsonObject;
} {
  const offered = context.offeredOf(resource);
  const dates: JsonObject = {};
  for (const date of ['receivedAt', 'decidedAt']) {
    const at = offered[date];
    if (record[date] === undefined && at !== undefined) dates[date] = at;
  }
  const history = joinedComments(objectsAt(record, 'history'), objectsAt(offered, 'history'));
  const outcome = record.outcome ?? offered.outcome;
  return {
    referral: {
      ...record,
      ...dates,
      ...(history.length > 0 && { history }),
      ...(outcome !== undefined && { outcome }),
    },
    dates,
  };
}

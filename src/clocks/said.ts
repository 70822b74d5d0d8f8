// What the other side says of a referral counts for its clocks before the source has taken it over: that the client was reached, and that it asks to
// cancel. Whatever the record says itself counts for more. Pure.

import { isObject, type Json, type JsonObject, objectAt } from '../json.ts';
import { timeAt } from './fields.ts';

/** One field of a record as the other side has it, by a JSON pointer. */
export interface Said {
  readonly pointer: string;
  readonly value: Json;
}

/** The referral with what it does not say itself. */
export function withSaid(referral: JsonObject, said: readonly Said[]): JsonObject {
  const values = (pointer: string) =>
    said.flatMap((one) => (one.pointer === pointer && isObject(one.value) ? [one.value] : []));
  const contact = isSettled(objectAt(referral, 'firstContact'))
    ? undefined
    : earliest(values('/firstContact').filter(({ outcome }) => outcome === 'reached'));
  // Of one that we have asked for ourselves the other side says the answer, which is for the record to say.
  const isAsked = referral.direction !== 'incoming' || referral.cancelRequest !== undefined;
  const request = isAsked ? undefined : earliest(values('/cancelRequest'));
  return {
    ...referral,
    ...(contact && { firstContact: contact }),
    ...(request && { cancelRequest: request }),
  };
}

/** The record says what came of it, and not only that somebody tried. */
function isSettled(contact: JsonObject | undefined): boolean {
  return contact?.outcome === 'reached' || contact?.outcome === 'client-declined';
}

function earliest(all: readonly JsonObject[]): JsonObject | undefined {
  return all
    .filter((one) => timeAt(one, 'at') !== undefined)
    .sort((one, other) => (timeAt(one, 'at') ?? 0) - (timeAt(other, 'at') ?? 0))[0];
}

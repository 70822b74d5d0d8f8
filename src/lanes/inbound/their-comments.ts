// Comments of a referral that are the other side's: heard as notes of its Task or as messages, and known by the ids that they were offered under, so that
// what a source has taken over of them is never sent back. Pure.

import { contentHash } from '../../fhir/fhir.ts';
import type { JsonObject } from '../../json.ts';

/** The id of the comment that a message is heard as: the same whatever it says. @param id of the Communication on its server */
export function commentIdOf(id: string): string {
  return `m-${contentHash(`Communication/${id}`).slice(0, 12)}`;
}

/** Whether a comment is one of the other side, heard as a note of the Task or as a message, by the id that it was offered under. */
export function isTheirs({ id }: JsonObject): boolean {
  return typeof id === 'string' && /^[mr]-[0-9a-f]{12}(-\d+)?$/.test(id);
}

/** Those of them that were heard as messages, which no note of the Task repeats. */
export function isHeard(comment: JsonObject): boolean {
  return isTheirs(comment) && String(comment.id).startsWith('m-');
}

/** Each once, as the last of the lists has it. */
export function joinedComments(...lists: readonly (readonly JsonObject[])[]): JsonObject[] {
  return [...new Map(lists.flat().map((comment) => [comment.id, comment])).values()];
}

/** In the order in which they were said. */
export function commentsByTime(comments: readonly JsonObject[]): JsonObject[] {
  const timeOf = ({ at }: JsonObject) => (typeof at === 'string' ? Date.parse(at) : Number.NaN);
  return comments.toSorted((one, other) => timeOf(one) - timeOf(other) || 0);
}

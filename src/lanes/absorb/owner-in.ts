// Who decides about an element of a resource that stands on a server.

import type { JsonObject } from '../../json.ts';
import type { CompiledSlot, Owner, SlotElement } from '../../mapping/mapping.ts';
import type { LaneResource } from '../lane-resource.ts';

/** By which a resource of ours is known: nothing that another has made is to bear it. */
const identity = /^(?:identifier|meta)\b/;

/** What both sides of an appointment arrange, whoever has begun it. */
const arranged = ['status', 'cancelationReason', 'start', 'end', 'minutesDuration'];

/** By the mapping; of what the other side has begun, all is theirs but what the mapping gives to whoever answers it. */
export function ownerIn({ link, slot, record }: Pick<LaneResource, 'link' | 'slot' | 'record'>, key: string): Owner {
  const element = slot?.elements.find((one) => one.key === key);
  if (slot === undefined || record === undefined || element === undefined) return 'remote';
  if (link?.origin !== 'theirs') return element.owner(record);
  return isAnswer(slot, record, element) ? 'source' : 'remote';
}

/** Whether the element of a resource that the other side has begun is for us to say. */
export function isAnswer(slot: CompiledSlot, record: JsonObject, { key, owner }: SlotElement): boolean {
  if (slot.resourceType === 'Appointment') return arranged.includes(key);
  return slot.owner(record) === 'remote' && !identity.test(key) && owner(record) === 'source';
}

// An appointment in which other patients take part beside the client, such as a mother with her own chart there: a mapping claims whoever is a patient for
// the client, so it is shown the client alone. The others stay where they are. Pure.

import { isObject, type Json, type JsonObject } from '../../json.ts';
import type { CompiledSlot } from '../../mapping/mapping.ts';
import { isOtherParticipant, participants, type Whose } from './patient-of.ts';

/** The slot as it reads and writes what the server shows; itself where no other patient takes part. */
export function besideOthers(slot: CompiledSlot, shown: JsonObject, whose: Whose): CompiledSlot {
  const isOther = (item: Json): boolean => isObject(item) && isOtherParticipant(item, whose);
  if (!listIn(shown).some(isOther)) return slot;
  const alone = (resource: JsonObject): JsonObject =>
    withList(
      resource,
      listIn(resource).filter((item) => !isOther(item)),
    );
  return {
    ...slot,
    facts: (resource) => slot.facts(alone(resource)),
    says: (key, observed, ...rest) => slot.says(key, alone(observed), ...rest),
    absorb: (keys, observed, ...rest) => slot.absorb(keys, alone(observed), ...rest),
    copy: (keys, from, to, sent) => {
      const held = listIn(to);
      // No mapping takes a mere text for a participant.
      const masked = held.map((item, at) => (isOther(item) ? String(at) : item));
      const copied = slot.copy(keys, alone(from), withList(to, masked), sent);
      return withList(
        copied,
        listIn(copied).map((item) => (typeof item === 'string' ? (held[Number(item)] ?? item) : item)),
      );
    },
  };
}

function listIn(resource: JsonObject): readonly Json[] {
  const list = resource[participants];
  return Array.isArray(list) ? list : [];
}

function withList(resource: JsonObject, list: readonly Json[]): JsonObject {
  if (resource[participants] === undefined) return resource;
  return { ...resource, [participants]: [...list] };
}

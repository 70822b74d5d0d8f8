// Who decides about an element of a resource that stands on a server.

import type { Owner } from '../mapping/mapping.ts';
import type { LaneResource } from './lane-resource.ts';

/** By the mapping; of what the other side has begun, all is theirs but what the mapping gives to whoever answers it. */
export function ownerIn({ link, slot, record }: LaneResource, key: string): Owner {
  const element = slot?.elements.find((one) => one.key === key);
  if (slot === undefined || record === undefined || element === undefined) return 'remote';
  const isAllTheirs = link?.origin === 'theirs' && slot.owner(record) !== 'remote';
  return isAllTheirs ? 'remote' : element.owner(record);
}

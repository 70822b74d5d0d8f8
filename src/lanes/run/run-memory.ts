// What one run has learned so far and the store does not hold.

import type { Reason } from '../../errors.ts';
import type { MappingSet } from '../../mapping/mapping.ts';
import type { Texts } from '../inbound/take.ts';
import type { LaneMemory } from '../load/lane-memory.ts';
import type { LaneRecords, LaneRows } from '../load/lane-rows.ts';

/** What one run has learned so far and the store does not hold. */
export interface RunMemory {
  /** `Type/id` of resources read from the server by this run. */
  readonly fresh: Set<string>;
  /** The same of runs before it that yielded: not to be read once more only because all is to be read again. */
  readonly looked: Set<string>;
  /** Slots for which a search found nobody, and the match leases under which it did not. */
  readonly notFound: Map<string, readonly string[]>;
  /** Operations of which a look of this run could not tell what became of them. */
  readonly untold: Set<number>;
  /** Slots that the server refused in this run. */
  readonly refused: Map<string, Reason>;
  /** Linked slots that were to be read in this run, and which the server could not show. */
  readonly unread: Map<string, Reason>;
  /** False once references between new resources are in each other's way: optional ones are then left for an update. */
  placeholders: boolean;
  /** Where documents of a patient, by the server's id, are to be filed; of others it has not been looked for yet. */
  readonly encounters: Map<string, { readonly id: string } | 'none-open'>;
  /** The server has refused to let a document be amended. */
  amendRefused: boolean;
  /** Texts of documents of the other side. */
  readonly texts: Texts;
  /** The mapping of this run; undefined: the active one is still to be asked for. */
  mappings: MappingSet | undefined;
  /** What the lane's records were at the last load. */
  records: LaneRecords | undefined;
  /** What the last load read, with what the run has stored since; undefined: to be read anew. */
  carried: LaneRows | undefined;
  /** What is worked out and may be taken up by another load, of this run or of the lane's next. */
  readonly lane: LaneMemory;
  /** By identifier: each is asked for several times a load, and hashed once. */
  readonly placeholderUrls: Map<string, string>;
}

/** @param wanted the lane's counter as the run found it */
export function newMemory(lane: LaneMemory, wanted?: number): RunMemory {
  const { looked } = lane;
  return {
    fresh: new Set(),
    looked: new Set(looked?.wanted === wanted ? looked?.names : []),
    notFound: new Map(),
    untold: new Set(),
    refused: new Map(),
    unread: new Map(),
    placeholders: true,
    encounters: new Map(),
    amendRefused: false,
    texts: { looks: new Map(), againAt: undefined },
    mappings: undefined,
    records: undefined,
    carried: undefined,
    lane,
    placeholderUrls: new Map(),
  };
}

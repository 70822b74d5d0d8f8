// What the resources of a lane are worked out from.

import type { JsonObject } from '../../json.ts';
import type { CompiledSlot, MappingSet, SlotRef } from '../../mapping/mapping.ts';
import type { DecisionRow } from '../decisions/decisions.ts';
import type { Edition } from '../documents/document.ts';
import type { Abilities, LaneConnection } from '../lane-connection.ts';
import type { Lease } from '../lease.ts';
import type { RunMemory } from '../run/run-memory.ts';
import type { Known, SeenRow } from './known.ts';

/** What is known of the documents of the lane's case; only where the vendor takes documents. */
export interface DocumentsHeld {
  /** Oldest first. */
  readonly editions: readonly Edition[];
  /** The patient as seen there. */
  readonly patient: JsonObject | undefined;
  /** The server takes no document before. */
  readonly heldUntil: Date | undefined;
  /** Database time. */
  readonly now: Date;
  /** IANA name. */
  readonly timeZone: string;
}

export interface DesireInput {
  readonly lease: Lease;
  readonly connection: LaneConnection;
  readonly abilities: Abilities;
  readonly mappings: MappingSet;
  readonly identifierSystem: string;
  readonly known: Known;
  readonly seen: ReadonlyMap<string, SeenRow>;
  readonly openDecisions: readonly DecisionRow[];
  /** What records said when all of a link was sent last, by `pastKey`; only where the link's bases are of another form. */
  readonly past: ReadonlyMap<string, JsonObject>;
  /** Slots of operations without an outcome, as `nameOf` makes them. */
  readonly unknown: ReadonlySet<string>;
  /** What persons have said about who the client of the lane is; newest first. */
  readonly patientAnswers: readonly DecisionRow[];
  /** The same of which entries of the server the directory entries of the lane are; newest first. */
  readonly entryAnswers: readonly DecisionRow[];
  /** As in `LaneRecords`. */
  readonly consents: readonly JsonObject[];
  /** Those of the client, where the connection shares referrals only. */
  readonly referrals: readonly JsonObject[];
  /** `YYYY-MM-DD`, in the zone of the lane's source. */
  readonly today: string;
  /** Database time in epoch ms. */
  readonly now: number;
  readonly memory: RunMemory;
  readonly documents: DocumentsHeld | undefined;
}

/** Undefined when the active mapping does not know the slot: its links stay as they are (lanes.md 16). */
export function slotOf(input: Pick<DesireInput, 'mappings'>, key: SlotRef): CompiledSlot | undefined {
  const mapping = input.mappings.mapping(key.type);
  const template = key.slot.replace(/\[.*$/, '');
  return mapping?.slots.some(({ name }) => name === template) ? mapping.slot(key.slot) : undefined;
}

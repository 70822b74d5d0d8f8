// One resource of a lane as the planner sees it: what it should be, what we believe the server holds, and what stands in the way.

import type { Route } from '../connections/connections.ts';
import { type Reason, reason } from '../errors.ts';
import type { JsonObject } from '../json.ts';
import type { CompiledSlot, Desired, SlotRef } from '../mapping/mapping.ts';
import type { CancelRequest, Party, TaskMoves } from '../referrals/referrals.ts';
import type { DocumentState } from './documents/document.ts';
import type { Bases } from './merge.ts';
import type { Duplicate } from './patients/merged-into.ts';

/** What a resource on the server stands for, within the source of its lane. */
export type ResourceKey = SlotRef;

/** `referral/r1#request`: how texts and topics name a resource. Holds ids only. */
export function nameOf(key: { readonly type: string; readonly id: string; readonly slot: string }): string {
  return `${key.type}/${key.id}#${key.slot}`;
}

/** Why nothing is sent for what is not at its id any more, where nothing else is either. */
export const lostCodes: readonly string[] = ['document-gone', 'message-gone', 'remote-gone'];

/** Why nothing is sent for what is not at its id any more. */
export const goneCodes: readonly string[] = [...lostCodes, 'remote-left', 'remote-replaced'];

/** Why what breaks FHIR itself is parked: the first rule that it breaks; undefined when it breaks none. */
export function invalidReason(key: ResourceKey, { invalid }: Pick<Desired, 'invalid'>): Reason | undefined {
  const [failed] = invalid;
  if (failed === undefined) return undefined;
  const { rule, path, at, pointers } = failed;
  const fields = pointers.length === 0 ? 'no field of the record' : pointers.join(', ');
  return reason('resource-invalid', { target: nameOf(key), rule, path, at, fields });
}

/** Whether what is retired for this cause is blanked there too: the receiver may not have it any more. */
export function isRecalled(cause: Reason): boolean {
  return cause.code === 'consent-withdrawn' || cause.code === 'not-referred';
}

export interface LinkState extends Bases {
  readonly generation: number;
  readonly remoteId: string;
  /**
   * `created` by us, `found` there, or `theirs`: begun by the other side and answered by a record. What was found is never written; of what is theirs
   * only what is ours to say, where it is a Task.
   */
  readonly origin: 'created' | 'found' | 'theirs';
  readonly retired: boolean;
  readonly seenHash: string | undefined;
  readonly versionTag: string | undefined;
  /** Of the slot by which the bases were made; undefined: not known. */
  readonly form?: string | undefined;
  /** The version of the record that all of `sent` says; undefined: none is known to. */
  readonly sentVersion?: number | undefined;
  /** The bases are told here otherwise than they are kept (`bases.ts`). */
  readonly isRebased?: true;
}

export interface Observation {
  readonly body: JsonObject;
  readonly versionTag: string | undefined;
  readonly hash: string;
  /** A message told of it: there is nothing to be read on the server. */
  readonly isTold?: boolean;
  /** Read by this very run, so that it may be written over. */
  readonly isFresh: boolean;
}

/** What stands under the id of a link and is not what the link is to. */
export interface Stranger {
  readonly evidence: 'other-record' | 'other-patient' | 'other-content' | 'other-person';
  readonly reason: Reason;
  readonly shown: JsonObject;
  /** Of `shown`. */
  readonly hash: string;
  /** Of one that is about another patient: the server's id of the patient whom it was about. */
  readonly was?: string;
}

export interface LaneResource {
  readonly key: ResourceKey;
  readonly resourceType: string;
  /** `urn:uuid:…` under which other resources of the run point at it while it has no id on the server. */
  readonly placeholder: string;
  readonly record: JsonObject | undefined;
  readonly recordVersion: number;
  readonly slot: CompiledSlot | undefined;
  /** Absent: nothing should be there. */
  readonly desired: Desired | undefined;
  readonly link: LinkState | undefined;
  /** The number a new link would get: one more than that of the retired ones. */
  readonly nextGeneration: number;
  readonly observed: Observation | undefined;
  /** The server said 404 or 410 for the linked id, or shows a stranger there. */
  readonly isGone: boolean;
  /** What is at the linked id instead of it. */
  readonly stranger?: Stranger;
  /** It is gone, and a person has said that it is to stay so. */
  readonly left?: Reason;
  readonly route: {
    readonly route: Route;
    readonly reason: Reason | undefined;
    /** Why a native route is one; kept with its operations. */
    readonly why?: Reason;
  };
  /** A stated cause to retire it (lanes.md 16). */
  readonly leave: Reason | undefined;
  /** Required references without a link, each with what it waits for. */
  readonly waits: readonly Wait[];
  /** A refused write of this very version; not tried again until something is mended. */
  readonly parked: Reason | undefined;
  /** What became of its last request is not known: nothing more is sent for it until it is. */
  readonly untold?: Reason;
  /** It was to be read, and the server could not show it now: nothing is sent for it until it is. */
  readonly unread?: Reason;
  /** A person has set this version aside: it rests without being in need of mending. */
  readonly isSetAside?: boolean;
  /** Topics of open decisions about it. */
  readonly openTopics: ReadonlySet<string>;
  readonly party: Party;
  /** The moves that this server takes of the element that moves. */
  readonly moves: TaskMoves;
  /** Elements that this server is known to store in another form than sent. */
  readonly rewritten?: readonly string[];
  /** The server declares no way to change one of its type: what is there stays as it is. */
  readonly takesNoChanges?: boolean;
  /** It lives elsewhere, and this server gets a mirror of it: whatever is changed here is nobody's word (closed-loop B1). */
  readonly isCopy?: boolean;
  /** What its source asks the performer to cancel, where that is asked in the Task itself; `none`: nothing, or not any more. */
  readonly cancelRequest?: CancelRequest | 'none';
  /** Search before creating: patients and directory entries (lanes.md 18, 19). */
  readonly search: 'none' | 'pending' | 'not-found' | 'blocked';
  /** For a client only. */
  readonly client?: ClientHistory;
  /** Of a client: of whom its source says that it is a duplicate. */
  readonly duplicate?: Duplicate;
  /** For the readable document of a case only, which no mapping makes. */
  readonly document?: DocumentState;
}

/** What is known of the patients that a client is, was, and is not; ids of the server. */
export interface ClientHistory {
  /** Whom a person has said that the client is not, each with who said so: no search links one of them again. */
  readonly denied: ReadonlyMap<string, string>;
  /** Who the client was before the hospital merged them into the one that it is now. */
  readonly merged: readonly string[];
  /** Whom a person has said that the client is, although they were switched off. */
  readonly switchedOff: readonly string[];
  /** The patient who the client was last may not be them any more, and nobody has said since who is. */
  readonly isLost: boolean;
}

export interface Wait {
  readonly target: SlotRef;
  readonly reason: Reason;
}

/** What is told of several waits: one for a link that is still to be made tells the least. */
export function foremost(waits: readonly Wait[]): Wait | undefined {
  return waits.find(({ reason: why }) => why.code !== 'waits-for-link') ?? waits[0];
}

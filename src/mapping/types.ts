// What other folders see of a mapping: facts to compare, slots to send, patches to offer. The lane core works on these alone.

import type { ProfileIssue } from '../fhir/fhir.ts';
import type { Json, JsonObject } from '../json.ts';
import type { RecordSchemas, RecordType } from '../records/records.ts';

/** Element key -> canonical value. An element that is absent has no key. */
export type Facts = Readonly<Record<string, Json>>;

/** Who decides about an element; requester and performer are already resolved by the record's direction. */
export type Owner = 'source' | 'remote' | 'latest' | 'ask';

/** A resource of a record, within one source. */
export interface SlotRef {
  readonly type: RecordType;
  readonly id: string;
  readonly slot: string;
}

/** What a mapping may know besides the record itself. Pure: the same context gives the same resources. */
export interface ProjectContext {
  readonly source: string;
  /** The system of our own identifiers; also the base of our local code systems. */
  readonly identifierSystem: string;
  /** The connection's identifier systems, by identifier kind (mrn, medicaid, npi ...). */
  readonly identifierSystems: Readonly<Record<string, string>>;
  /** Another record of the same source; undefined where there is none or it is deleted. */
  record(type: RecordType, id: string): JsonObject | undefined;
  /** The literal reference to a slot ('Patient/123'); undefined: no link yet. */
  reference(target: SlotRef): string | undefined;
  /** Whether the receiver is told that a consent names this recipient; absent: it is told of all. */
  isTold?(recipient: Json): boolean;
}

export type MappingIssueCode =
  | 'unmapped-code'
  | 'does-not-fit'
  | 'no-identifier-system'
  | 'unresolved-reference'
  | 'left-out'
  | 'required-field'
  | 'does-not-add-up'
  | 'profile-step-down';

/** Something that could not be carried over. The message holds kinds and pointers, never values. */
export interface MappingIssue {
  readonly code: MappingIssueCode;
  readonly element: string;
  /** JSON pointer into the record. */
  readonly pointer?: string;
  readonly message: string;
  /** The rule: `file:line`. */
  readonly at: string;
  /** The code that no ConceptMap knows: the record's, or on the way back the server's as `system|code`. */
  readonly unmapped?: { readonly conceptMap: string; readonly code: string };
  /** The rule wants the resource parked rather than sent without this. */
  readonly parks?: boolean;
}

export interface DesiredReference {
  readonly element: string;
  readonly target: SlotRef;
  /** Base R4 or the first profile of the ladder requires the element. */
  readonly required: boolean;
  /** Absent: no link yet, and the element is left out. */
  readonly reference?: string;
}

/** A rule of base R4 or of a profile that a resource breaks, and where that comes from. Holds no values. */
export interface Breach extends ProfileIssue {
  /** `file:line` of the rule that makes the element, or would; of the slot where none does. */
  readonly at: string;
  /** JSON pointers to the fields of the record that it was, or would be, made from. */
  readonly pointers: readonly string[];
}

/** One resource as the record wants it. */
export interface Desired {
  /** 'request', or 'location[loc1]' for a slot that repeats. */
  readonly slot: string;
  readonly resourceType: string;
  /** Complete but for the id: identifier, meta.source, meta.tag and the claimed profile are there. */
  readonly resource: JsonObject;
  /** Read from the resource when first asked for. */
  readonly facts: Facts;
  readonly references: readonly DesiredReference[];
  readonly issues: readonly MappingIssue[];
  /** Breaches of base R4: such a resource is parked, never sent. A link that is only missing so far is none. */
  readonly invalid: readonly Breach[];
}

export interface SlotElement {
  readonly key: string;
  owner(record: JsonObject): Owner;
  /** The state machine that walks this element. */
  readonly moves?: string;
  /** The key of the moving element that this one explains: it is written and read together with that one's moves. */
  readonly goesWith?: string;
  /** Follows from other facts: written like others, never absorbed. */
  readonly derived: boolean;
  /** How it is read back: `copy`, `code goal-status|1.0.0`, `reference client`, `each`, `first`; `template` for one of several parts. */
  readonly converter: string;
  /** `file:line` */
  readonly at: string;
}

/** Why a resource is taken back: it was an error (as it is taken where nothing is said), or nothing of the record is told there any more. */
export type Leaving = 'error' | 'ended';

export interface CompiledSlot {
  /** The template's first name, under which its resources are known: 'location' for 'location[loc1]'. */
  readonly name: string;
  readonly resourceType: string;
  /** Another one as soon as facts of it may be made otherwise: those of one form say nothing beside those of another. */
  readonly form: string;
  /** Whose resource it is: what is the other side's is theirs to make. */
  owner(record: JsonObject): Owner;
  readonly elements: readonly SlotElement[];
  /** What the resource says, in comparable form; the resource may come from any server. */
  facts(resource: JsonObject): Facts;
  /**
   * `to` with these elements as in `from` (removed where absent there); everything else in `to` is kept.
   * @param sent what we last wrote there: of lists, what is not in it stays, and of items and objects, what `from` still says as in it is left as it is
   */
  copy(keys: readonly string[], from: JsonObject, to: JsonObject, sent?: Facts): JsonObject;
  /**
   * What the server holds, with what of these elements the other side has not changed since it was `seen` as in `ours`: what a server rewrote, and what
   * only we have changed, is no news of theirs.
   */
  withOurs(keys: readonly string[], observed: JsonObject, ours: JsonObject, seen: Facts): JsonObject;
  /** Our resource with these elements as in another version of the record, as far as that one can tell by itself. */
  remade(
    keys: readonly string[],
    resource: JsonObject,
    record: JsonObject,
    context: Pick<AbsorbContext, 'linked' | 'isTold'>,
  ): JsonObject;
  /** The resource, retired (entered-in-error, active false); undefined: its type cannot say so. */
  retire(resource: JsonObject, leaving?: Leaving): JsonObject | undefined;
  /**
   * The same without what we told: for a consent that is gone, of which the request that takes it back must not speak either.
   * @param wanted as the record would have it now
   */
  recall(resource: JsonObject, leaving?: Leaving, wanted?: JsonObject): JsonObject | undefined;
  /** What the resource holds at an element, as it is written there. */
  raw(key: string, resource: JsonObject): Json | undefined;
  /**
   * True when the record makes of an element what the resource holds there; false also where only other records, or links that `linked` does not
   * give, could tell.
   */
  says(
    key: string,
    observed: JsonObject,
    record: JsonObject,
    timeZone?: string,
    linked?: (target: SlotRef) => string | undefined,
  ): boolean;
  /**
   * What the record would have to become so that it says what the server holds, as a merge patch (RFC 7396); {} for nothing.
   * Skips `moves`, `goesWith` and derived elements.
   */
  absorb(
    keys: readonly string[],
    observed: JsonObject,
    record: JsonObject,
    context: AbsorbContext,
  ): { patch: JsonObject; issues: MappingIssue[] };
}

/** What the way back is told beside the resource and the record. */
export interface AbsorbContext {
  readonly resolve: (reference: string) => SlotRef | undefined;
  /** With it, items of the record whose reference the server no longer holds are taken out; without it, they stay. */
  readonly linked?: (target: SlotRef) => string | undefined;
  /** IANA name of the source's: times that become days are on the day that it is there. */
  readonly timeZone?: string;
  /** Items of which the server was told nothing stay. */
  readonly isTold?: ProjectContext['isTold'];
}

/** Where one element of a resource comes from. */
export interface Origin {
  /** `name[0].given[1]` */
  readonly element: string;
  /** `file:line` */
  readonly rule: string;
  /** `copy`, `fixed`, `code goal-status|1.0.0`, `reference client` ... */
  readonly converter: string;
  /** JSON pointers to the fields that it was made from; none for what is always the same. */
  readonly pointers: readonly string[];
  /** The value there, where it is one. */
  readonly raw?: Json;
  /** The record that the pointers are of, where it is another one. */
  readonly record?: { readonly type: RecordType; readonly id: string };
}

/** One element of a resource that changes the record. */
export interface AbsorbedElement {
  readonly element: string;
  /** `file:line` */
  readonly rule: string;
  readonly converter: string;
  /** What the server holds there; null: nothing. */
  readonly raw: Json;
  /** The fields of the record that it changes. */
  readonly pointers: readonly string[];
}

/** A part of a resource that the record says nothing of: a rule could not carry it, or none reads it. */
export interface NotUnderstood {
  /** The rule's element, or where no rule reads it the path: `identifier[1]`. */
  readonly element: string;
  readonly why: MappingIssueCode | 'no-rule';
  /** `file:line` */
  readonly rule?: string;
}

/** A value of a record that no resource says. */
export interface Unsent {
  readonly pointer: string;
  readonly why: string;
  /** `file:line` */
  readonly rule?: string;
}

/** What a record becomes, with where everything comes from. */
export interface Explained {
  readonly resources: readonly { readonly desired: Desired; readonly lineage: readonly Origin[] }[];
  readonly unsent: readonly Unsent[];
}

/** One resource put together and not checked: it claims the first profile of its ladder, whether it satisfies it or not. */
export type Assembled = Pick<Desired, 'slot' | 'resourceType' | 'resource' | 'references' | 'issues'>;

export interface Mapping {
  readonly recordType: RecordType;
  readonly slots: readonly CompiledSlot[];
  /** Why no resource is ever made of such a record, and where that is said (`file:line`); then there are no slots. */
  readonly unsent?: { readonly why: string; readonly at: string };
  /** What `project` puts together before it checks: for measuring and comparing mappings, never for sending. */
  assemble(record: JsonObject, context: ProjectContext): Assembled[];
  /** The resources that this record wants; none for a deleted record. */
  project(record: JsonObject, context: ProjectContext): Desired[];
  /** The same as `project`, and where each element comes from. */
  explain(record: JsonObject, context: ProjectContext): Explained;
  /** The compiled slot by its name in a link, 'location[loc1]' included. Throws CasebridgeError `mapping-slot-unknown`. */
  slot(name: string): CompiledSlot;
}

export interface MappingSet {
  /** Content hash over all files: the same files give the same version. */
  readonly version: string;
  readonly mappings: readonly Mapping[];
  mapping(type: RecordType): Mapping | undefined;
  /** What records are checked by: ours, with the fields of an overlay. */
  readonly schemas: RecordSchemas;
  /** What keeps resources from a profile that they could claim, or leaves unsaid what one says must be supported. */
  readonly warnings: readonly MappingProblem[];
}

/** A file of the mapping folder: its path below the folder, and its text. */
export interface MappingFile {
  readonly path: string;
  readonly text: string;
}

export interface MappingProblem {
  readonly path: string;
  readonly line: number;
  readonly column: number;
  readonly message: string;
}

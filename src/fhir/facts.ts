// The compact facts that scripts make from the R4 definitions and from guide packages: their shape, and how they are read.
// No prose is kept. The JSON files under facts/ are generated and never edited by hand.

import { readFileSync } from 'node:fs';
import type { Json } from '../json.ts';

/** Who may say what in an element. Absent `min` is 0, absent `max` is 1. */
export interface ElementRule {
  readonly min?: number;
  readonly max?: number | '*';
  readonly types?: readonly string[];
  /** Resource types a Reference may point to; absent: any. */
  readonly targets?: readonly string[];
  /** Strength and value set (canonical without version). */
  readonly binding?: readonly [strength: string, valueSet: string];
  /** Invariants that begin here. */
  readonly constraints?: readonly ConstraintFact[];
}

export type ConstraintFact = readonly [key: string, severity: string, expression: string];

/** An element of a base type. `content` names the element of the same type whose children it shares. */
export interface BaseElement extends ElementRule {
  readonly types: readonly string[];
  readonly content?: string;
}

export interface TypeFacts {
  readonly kind: 'resource' | 'datatype';
  /** Path below the type ('activity.detail.status'), in the order of the definition; '' holds the type's own invariants. */
  readonly elements: Readonly<Record<string, BaseElement>>;
}

/** What is known of a value set. A code of one of `systems` may be in it, but which ones are is not known here. */
export interface ValueSetFacts {
  readonly codes: Readonly<Record<string, readonly string[]>>;
  readonly systems?: readonly string[];
}

export interface BaseFacts {
  readonly fhirVersion: string;
  readonly primitives: readonly string[];
  readonly resourceTypes: readonly string[];
  readonly types: Readonly<Record<string, TypeFacts>>;
  readonly valueSets: Readonly<Record<string, ValueSetFacts>>;
}

/** How the items of a sliced list are told apart. */
export interface SlicingFact {
  readonly discriminators: readonly (readonly [type: string, path: string])[];
  readonly rules: string;
}

/** What a profile says of an element beyond base R4. Its address is the element id without the type: 'output:PerformedActivityCode.type'. */
export interface ProfileElement extends ElementRule {
  readonly fixed?: Json;
  readonly pattern?: Json;
  /** Profiles an extension or datatype must follow (canonical without version). */
  readonly profiles?: readonly string[];
  readonly mustSupport?: true;
  readonly slicing?: SlicingFact;
}

export interface ProfileFacts {
  readonly url: string;
  readonly version: string;
  readonly type: string;
  readonly base: string;
  readonly elements: Readonly<Record<string, ProfileElement>>;
}

export interface GuideFacts {
  readonly guide: string;
  readonly version: string;
  /** By profile id, such as 'us-core-patient'. */
  readonly profiles: Readonly<Record<string, ProfileFacts>>;
  readonly valueSets: Readonly<Record<string, ValueSetFacts>>;
}

/** Base FHIR R4. */
export const baseFacts: BaseFacts = readFacts('r4.json');

/** The guides that come with Casebridge. */
export const shippedGuides: readonly GuideFacts[] = [readFacts('us-core-7.0.0.json'), readFacts('sdohcc-2.3.0.json')];

// The generators write exactly these types, so what they wrote is read back without a second check.
function readFacts<T extends BaseFacts | GuideFacts>(file: string): T {
  return JSON.parse(readFileSync(new URL(`./facts/${file}`, import.meta.url), 'utf8'));
}

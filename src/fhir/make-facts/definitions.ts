// The few parts of FHIR's conformance resources that facts are made from, and a library of them by canonical URL.

import type { Json } from '../../json.ts';

export interface ElementDefinition {
  id: string;
  path: string;
  min: number;
  max: string;
  sliceName?: string;
  contentReference?: string;
  mustSupport?: boolean;
  type?: {
    code: string;
    profile?: string[];
    targetProfile?: string[];
    extension?: { url: string; valueUrl?: string }[];
  }[];
  binding?: { strength: string; valueSet?: string };
  constraint?: { key: string; severity: string; expression?: string; source?: string }[];
  slicing?: { discriminator?: { type: string; path: string }[]; rules: string };
  [fixed: `fixed${string}`]: Json | undefined;
  [pattern: `pattern${string}`]: Json | undefined;
}

export interface StructureDefinition {
  resourceType: 'StructureDefinition';
  id: string;
  url: string;
  version?: string;
  kind: string;
  type: string;
  abstract?: boolean;
  derivation?: string;
  baseDefinition?: string;
  snapshot: { element: ElementDefinition[] };
}

export interface ValueSetPart {
  system?: string;
  concept?: { code: string }[];
  filter?: { property: string; op: string; value: string }[];
  valueSet?: string[];
}

export interface ValueSet {
  resourceType: 'ValueSet';
  url: string;
  compose?: { include: ValueSetPart[]; exclude?: ValueSetPart[] };
}

export interface Concept {
  code: string;
  concept?: Concept[];
}

export interface CodeSystem {
  resourceType: 'CodeSystem';
  url: string;
  content: string;
  concept?: Concept[];
}

export type Definition = StructureDefinition | ValueSet | CodeSystem;

/** Definitions by canonical URL; of two with the same URL the later one counts. */
export class Library {
  readonly structures = new Map<string, StructureDefinition>();
  readonly valueSets = new Map<string, ValueSet>();
  readonly codeSystems = new Map<string, CodeSystem>();
  readonly #types = new Map<string, string>();

  /** The type that a profile is of, where the profile itself is not at hand. */
  addType(url: string, type: string): void {
    this.#types.set(url, type);
  }

  /** The type that the profile or type with this URL is of. */
  typeOf(url: string): string | undefined {
    return this.structures.get(url)?.type ?? this.#types.get(url);
  }

  add(definition: Definition): void {
    if (definition.resourceType === 'StructureDefinition') {
      this.structures.set(definition.url, definition);
    } else if (definition.resourceType === 'ValueSet') {
      this.valueSets.set(definition.url, definition);
    } else if (definition.resourceType === 'CodeSystem') {
      this.codeSystems.set(definition.url, definition);
    }
  }
}

export function withoutVersion(canonical: string): string {
  return canonical.split('|')[0] ?? canonical;
}

export const baseUrl = 'http://hl7.org/fhir/StructureDefinition/';

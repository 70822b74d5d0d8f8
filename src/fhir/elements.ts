// Looks up what R4 says of an element: walks a dotted path from a resource type through backbones and datatypes.
// Choice elements go by their concrete name (occurrencePeriod), as in FHIR's JSON form.

import type { BaseElement, ValueSetFacts } from './facts.ts';
import { baseFacts } from './facts.ts';

export interface ElementFact {
  /** With the resource type in front: 'ServiceRequest.occurrencePeriod.start'. */
  readonly path: string;
  readonly min: number;
  /** 1e9 means: no limit. */
  readonly max: number;
  /** One type, except where the path names a choice ('occurrence[x]'). */
  readonly types: readonly string[];
  /** `codes` only for required bindings that are fully known: bare for `code`, `system|code` for codings. */
  readonly binding?: { readonly strength: string; readonly valueSet: string; readonly codes?: readonly string[] };
  /** Resource types a Reference may point to; absent: any. */
  readonly targets?: readonly string[];
}

/** One property of a JSON object of a FHIR type. */
export interface Child {
  readonly name: string;
  /** The element's name in the definition: 'occurrence[x]' for occurrencePeriod. */
  readonly definedAs: string;
  readonly element: BaseElement;
  readonly type: string;
  readonly min: number;
  readonly max: number;
  /** Where its own children are defined; undefined for a primitive and for a whole resource. */
  readonly below?: Place;
}

/** A type, and a backbone path within it ('' for the type itself). */
export interface Place {
  readonly type: string;
  readonly path: string;
}

export const unlimited = 1e9;

const childrenByPlace = new Map<string, ReadonlyMap<string, Child>>();
const factsByPath = new Map<string, ElementFact | undefined>();
const primitives = new Set(baseFacts.primitives);
/** The names of R4's resource types, facts or none. */
export const resourceTypes: ReadonlySet<string> = new Set(baseFacts.resourceTypes);

/**
 * What R4 says of one element, or undefined where it knows none by that path.
 * `elementFact('ServiceRequest', 'occurrencePeriod.start')`, `elementFact('CarePlan', 'activity.detail.status')`.
 */
export function elementFact(resourceType: string, path: string): ElementFact | undefined {
  const key = `${resourceType}.${path}`;
  if (!factsByPath.has(key)) {
    factsByPath.set(key, readFact(resourceType, path));
  }
  return factsByPath.get(key);
}

function readFact(resourceType: string, path: string): ElementFact | undefined {
  const names = path.split('.');
  const last = names.pop() ?? '';
  const place = placeOf(resourceType, names);
  if (!place) {
    return undefined;
  }
  const children = childrenOf(place);
  const named = children.get(last);
  const matches = named ? [named] : [...children.values()].filter(({ definedAs }) => definedAs === last);
  const child = matches[0];
  if (!child) {
    return undefined;
  }
  return {
    path: `${resourceType}.${path}`,
    min: child.element.min ?? 0,
    max: child.max,
    types: matches.map(({ type }) => type),
    ...bindingOf(child),
    ...(child.element.targets && child.type === 'Reference' && { targets: child.element.targets }),
  };
}

/** The JSON property names below an element ('' for the resource itself); none for primitives and unknown paths. */
export function childNames(resourceType: string, path: string): string[] {
  const place = placeOf(resourceType, path === '' ? [] : path.split('.'));
  return place ? [...childrenOf(place).keys()] : [];
}

/** True for the name of an R4 resource type, facts or none. */
export function isResourceType(name: string): boolean {
  return resourceTypes.has(name);
}

export function isPrimitive(type: string): boolean {
  return primitives.has(type);
}

/** True where the facts hold the elements of this resource type. */
export function isKnownResource(name: string): boolean {
  return baseFacts.types[name]?.kind === 'resource';
}

/** The properties that a JSON object at this place may have, in the order of the definition. */
export function childrenOf(place: Place): ReadonlyMap<string, Child> {
  const key = `${place.type}.${place.path}`;
  let children = childrenByPlace.get(key);
  if (!children) {
    children = buildChildren(place);
    childrenByPlace.set(key, children);
  }
  return children;
}

function placeOf(resourceType: string, names: readonly string[]): Place | undefined {
  let place: Place | undefined = baseFacts.types[resourceType] && { type: resourceType, path: '' };
  for (const name of names) {
    place = place && childrenOf(place).get(name)?.below;
  }
  return place;
}

function buildChildren({ type, path }: Place): Map<string, Child> {
  const children = new Map<string, Child>();
  const elements = baseFacts.types[type]?.elements ?? {};
  const prefix = path === '' ? '' : `${path}.`;

  // A backbone has what every BackboneElement (or Element, inside datatypes) has, and its own.
  const parent = path === '' ? undefined : elements[path]?.types[0];
  if (parent) {
    for (const [name, child] of childrenOf({ type: parent, path: '' })) {
      children.set(name, child);
    }
  }
  for (const [at, element] of Object.entries(elements)) {
    const definedAs = at.slice(prefix.length);
    if (at.startsWith(prefix) && definedAs !== '' && !definedAs.includes('.')) {
      for (const child of concreteChildren(type, at, definedAs, element)) {
        children.set(child.name, child);
      }
    }
  }
  return children;
}

function concreteChildren(type: string, at: string, definedAs: string, element: BaseElement): Child[] {
  const isChoice = definedAs.endsWith('[x]');
  return element.types.map((childType) => ({
    name: isChoice ? choiceName(definedAs, childType) : definedAs,
    definedAs,
    element,
    type: childType,
    // A required choice is met by any of its names, which is checked for the choice as a whole.
    min: isChoice ? 0 : (element.min ?? 0),
    max: maxOf(element.max),
    below: placeBelow(type, at, element, childType),
  }));
}

/** 'occurrence[x]' and 'Period' give 'occurrencePeriod'. */
export function choiceName(definedAs: string, type: string): string {
  return `${definedAs.slice(0, -3)}${type.charAt(0).toUpperCase()}${type.slice(1)}`;
}

export function maxOf(max: number | '*' | undefined): number {
  return max === '*' ? unlimited : (max ?? 1);
}

function placeBelow(type: string, at: string, element: BaseElement, childType: string): Place | undefined {
  if (childType === 'BackboneElement' || childType === 'Element') {
    return { type, path: element.content ?? at };
  }
  return isPrimitive(childType) || childType === 'Resource' ? undefined : { type: childType, path: '' };
}

function bindingOf({ element, type }: Child): Pick<ElementFact, 'binding'> {
  if (!element.binding) {
    return {};
  }
  const [strength, valueSet] = element.binding;
  const known = strength === 'required' ? baseFacts.valueSets[valueSet] : undefined;
  const codes = known && !known.systems ? valueSetCodes(known, isPrimitive(type)) : undefined;
  return { binding: { strength, valueSet, ...(codes && { codes }) } };
}

/** The codes of a value set, bare or as `system|code`. */
export function valueSetCodes(facts: ValueSetFacts, bare: boolean): string[] {
  return Object.entries(facts.codes).flatMap(([system, codes]) =>
    bare ? codes : codes.map((code) => `${system}|${code}`),
  );
}

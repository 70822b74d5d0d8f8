// Checks a resource against base R4: names, JSON types, cardinality, required codes, reference targets, invariants.
// Each place of a type is compiled to a closure when it is first met.

import type { Json, JsonObject } from '../json.ts';
import { isObject } from '../json.ts';
import { didYouMean } from '../nearest.ts';
import { baseInvariants } from './base-invariants.ts';
import { type BindingCheck, compileBinding } from './bindings.ts';
import { type Child, childrenOf, isKnownResource, isPrimitive, isResourceType, type Place } from './elements.ts';
import { baseFacts } from './facts.ts';

import type { Invariant } from './invariant.ts';
import { primitiveChecks } from './primitives.ts';
import { parseReference } from './references.ts';
import { type ProfileIssue, Walk } from './walk.ts';

type ValueCheck = (value: Json, walk: Walk) => void;
/** Of one name that an object may have. */
interface NamedCheck {
  readonly check: ValueCheck;
  /** The choice that the name is one type of. */
  readonly choice: string | undefined;
}

type ObjectCheck = (object: JsonObject, walk: Walk) => void;

const objectChecks = new Map<string, ObjectCheck>();

/** Everything about the resource that base R4 does not allow, for the resource types that the facts hold. */
export function checkBase(resource: JsonObject): ProfileIssue[] {
  const type = typeof resource.resourceType === 'string' ? resource.resourceType : 'Resource';
  const walk = new Walk(resource, type, type);
  checkResource(resource, walk);
  return walk.issues;
}

/** The invariants of base R4, and those of the datatypes below this type, that `checkBase` does not evaluate. */
export function baseNotEvaluated(resourceType: string): string[] {
  const left: string[] = [];
  const types = new Set([resourceType]);
  for (const type of types) {
    for (const [path, element] of Object.entries(baseFacts.types[type]?.elements ?? {})) {
      const at = path === '' ? type : `${type}.${path}`;
      for (const [key] of element.constraints ?? []) {
        if (!baseInvariants[at]?.some((invariant) => invariant.key === key)) {
          left.push(`invariant ${key} at ${at}`);
        }
      }
      for (const below of element.types) {
        types.add(below);
      }
    }
  }
  return left;
}

function checkResource(resource: JsonObject, walk: Walk): void {
  const type = resource.resourceType;
  if (typeof type !== 'string' || !isResourceType(type)) {
    walk.report('resource-type', 'resourceType does not name a resource type of R4.');
  } else if (!isKnownResource(type)) {
    walk.report(
      'not-checked',
      `The elements of ${type} are not known here, so this resource was not checked.`,
      undefined,
      'warning',
    );
  } else {
    objectCheck({ type, path: '' })(resource, walk);
  }
}

function objectCheck(place: Place): ObjectCheck {
  const key = `${place.type}.${place.path}`;
  let check = objectChecks.get(key);
  if (!check) {
    check = compileObject(place);
    objectChecks.set(key, check);
  }
  return check;
}

function compileObject(place: Place): ObjectCheck {
  const children = childrenOf(place);
  const checks = new Map<string, NamedCheck>();
  const isResource = place.path === '' && isKnownResource(place.type);
  const ofPrimitives = [...children.values()].filter(({ type }) => isPrimitive(type));
  const invariants = [...invariantsAt(place), ...ofPrimitives.flatMap((child) => invariantsOfElement(place, child))];
  const required = [...children.values()].filter(({ min, max }) => min > 0 && max > 0).map(({ name }) => name);
  const requiredChoices = new Set<string>();
  for (const child of children.values()) {
    const check = compileChild(child, invariantsOfElement(place, child));
    checks.set(child.name, { check, choice: isChoice(child) ? child.definedAs : undefined });
    if (isPrimitive(child.type)) {
      checks.set(`_${child.name}`, { check: compilePrimitiveExtension(child), choice: undefined });
    }
    if (isChoice(child) && (child.element.min ?? 0) > 0) {
      requiredChoices.add(child.definedAs);
    }
  }

  return (object, walk) => {
    let choices: string[] | undefined;
    let count = 0;
    for (const name in object) {
      const value = object[name];
      if ((isResource && name === 'resourceType') || value === undefined) {
        continue;
      }
      count += 1;
      const named = checks.get(name);
      if (!named) {
        walk.report('unknown-element', unknownElement(name, place, children), name);
        continue;
      }
      const { check, choice } = named;
      walk.enter(name);
      check(value, walk);
      walk.leave();
      if (choice !== undefined) {
        choices ??= [];
        if (choices.includes(choice)) {
          walk.report('cardinality', `Only one type of ${choice} may be given.`, name);
        }
        choices.push(choice);
      }
    }
    if (count === 0) {
      walk.report('empty', 'An empty object is not allowed.');
    }
    for (const name of required) {
      if (object[name] === undefined && object[`_${name}`] === undefined) {
        walk.report('cardinality', `${name} is required.`, name);
      }
    }
    for (const choice of requiredChoices) {
      if (choices?.includes(choice) !== true) {
        walk.report('cardinality', `${choice} is required.`, choice);
      }
    }
    reportBroken(invariants, object, walk);
  };
}

function isChoice(child: Child): boolean {
  return child.definedAs !== child.name;
}

function invariantsAt({ type, path }: Place): readonly Invariant[] {
  const own = baseInvariants[path === '' ? type : `${type}.${path}`] ?? [];
  const isDomainResource = path === '' && baseFacts.types[type]?.elements.contained !== undefined;
  return isDomainResource ? [...own, ...(baseInvariants.DomainResource ?? [])] : own;
}

/** What a type demands of one of its elements that is of a datatype: org-2 speaks of an Organization's addresses only. */
function invariantsOfElement({ type, path }: Place, child: Child): readonly Invariant[] {
  const isBackbone = child.below?.type === type;
  return isBackbone ? [] : (baseInvariants[[type, path, child.definedAs].filter(Boolean).join('.')] ?? []);
}

function reportBroken(invariants: readonly Invariant[], object: JsonObject, walk: Walk): void {
  for (const { key, says, holds, severity } of invariants) {
    if (!holds(object, walk.root)) {
      walk.report(key, `Rule ${key}: ${says}.`, undefined, severity);
    }
  }
}

function unknownElement(name: string, { type, path }: Place, children: ReadonlyMap<string, Child>): string {
  return `${path === '' ? type : `${type}.${path}`} has no such element.${didYouMean(name, children.keys())}`;
}

function compileChild(child: Child, invariants: readonly Invariant[]): ValueCheck {
  const checkOne = compileValue(child, invariants);
  if (child.max <= 1) {
    return (value, walk) => {
      if (Array.isArray(value)) {
        walk.report('type', 'This element is not repeated, so it must not be a list.');
      } else {
        checkOne(value, walk);
      }
    };
  }
  const mayBeNull = isPrimitive(child.type);
  return (value, walk) => {
    if (!Array.isArray(value)) {
      walk.report('type', 'This element may repeat, so it must be a list.');
      return;
    }
    if (value.length === 0) {
      walk.report('empty', 'An empty list is not allowed.');
    }
    for (let at = 0; at < value.length; at += 1) {
      const item = value[at] ?? null;
      // A null keeps the place of an item that has only extensions, in the list of the same name with `_`.
      if (item !== null || !mayBeNull) {
        walk.enter(at);
        checkOne(item, walk);
        walk.leave();
      }
    }
  };
}

function compileValue(child: Child, invariants: readonly Invariant[]): ValueCheck {
  const { type, below } = child;
  const binding = compileBinding(child.element.binding, type, (url) => baseFacts.valueSets[url]);
  const primitive = primitiveChecks[type];
  if (primitive) {
    return (value, walk) => {
      const problem = primitive(value);
      if (problem !== undefined) {
        walk.report('type', `This element ${problem}.`);
      } else {
        reportBinding(binding, value, walk);
      }
    };
  }
  if (!below) {
    return (value, walk) => {
      if (isObject(value)) {
        checkResource(value, walk);
      } else {
        walk.report('type', 'This element must be a resource.');
      }
    };
  }
  const targets = type === 'Reference' && child.element.targets ? new Set(child.element.targets) : undefined;
  let check: ObjectCheck | undefined;
  return (value, walk) => {
    if (!isObject(value)) {
      walk.report('type', `This element must be an object (${type}).`);
      return;
    }
    // Looked up late: types refer to themselves (Extension, QuestionnaireResponse.item).
    check ??= objectCheck(below);
    check(value, walk);
    reportBroken(invariants, value, walk);
    reportBinding(binding, value, walk);
    if (targets) {
      checkTarget(value, targets, walk);
    }
  };
}

function reportBinding(binding: BindingCheck | undefined, value: Json, walk: Walk): void {
  if (binding && !binding.allows(value)) {
    walk.report('required-binding', `No code of the required value set ${binding.valueSet} is given.`);
  }
}

/** A literal reference, or one that states its type, must name a type that the element may point to. */
export function checkTarget(reference: JsonObject, targets: ReadonlySet<string>, walk: Walk): void {
  const literal =
    typeof reference.reference === 'string' ? parseReference(reference.reference)?.resourceType : undefined;
  const stated = typeof reference.type === 'string' && isResourceType(reference.type) ? reference.type : undefined;
  if (literal !== undefined) checkTargetType(literal, targets, walk);
  if (stated !== undefined && stated !== literal) checkTargetType(stated, targets, walk);
}

function checkTargetType(type: string, targets: ReadonlySet<string>, walk: Walk): void {
  if (!targets.has(type)) {
    walk.report('reference-target', `A reference to ${type} is not allowed here, only to ${[...targets].join(', ')}.`);
  }
}

/** `_name` beside a primitive: an object with id or extensions, or a list of such objects and nulls. */
function compilePrimitiveExtension(child: Child): ValueCheck {
  const extension: Place = { type: 'Element', path: '' };
  return (value, walk) => {
    const list = Array.isArray(value) ? value : [value];
    if (Array.isArray(value) !== child.max > 1 || list.length === 0) {
      walk.report('type', `This element must be ${child.max > 1 ? 'a list, as long as its values' : 'an object'}.`);
      return;
    }
    for (const item of list) {
      if (isObject(item)) {
        objectCheck(extension)(item, walk);
      } else if (item !== null || child.max <= 1) {
        walk.report('type', 'This element must be an object with extensions.');
      }
    }
  };
}

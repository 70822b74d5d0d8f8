// Compiles a profile to closures: counts, fixed values, patterns, types, required codes, reference targets, slices, invariants.
// Whatever of the profile cannot be decided from a resource and the facts is kept in a list, never passed over in silence.

import type { Json, JsonObject } from '../json.ts';
import { isObject } from '../json.ts';
import { compileBinding } from './bindings.ts';
import { checkTarget } from './check-base.ts';
import { type Child, childrenOf, isPrimitive, maxOf, type Place, unlimited } from './elements.ts';
import type { ProfileElement } from './facts.ts';
import type { Invariant } from './invariant.ts';
import { profileInvariants } from './profile-invariants.ts';
import { type Profile, type ProfileNode, type Profiles, shippedProfiles } from './profile-tree.ts';
import { compileSlice, isEqual, matchesPattern } from './slices.ts';
import type { Walk } from './walk.ts';

type ObjectCheck = (object: JsonObject, walk: Walk) => void;

/** A value of an element; `value` is undefined where a primitive has only extensions. */
interface Item {
  readonly name: string;
  readonly at: number | undefined;
  readonly value: Json | undefined;
  readonly child: Child;
}

type ItemCheck = (item: Item, walk: Walk) => void;

export interface CompiledProfile {
  readonly type: string;
  readonly check: ObjectCheck;
  readonly notEvaluated: readonly string[];
}

/** The check of a whole resource against a profile. */
export function compileProfile(profile: Profile, profiles: Profiles): CompiledProfile {
  const { type } = profile.facts;
  const compiler = new Compiler(type, profiles);
  const check = compiler.object(profiles.tree(profile), { type, path: '' }, type);
  return { type, check, notEvaluated: compiler.left };
}

class Compiler {
  readonly left: string[] = [];
  readonly #type: string;
  readonly #profiles: Profiles;

  constructor(type: string, profiles: Profiles) {
    this.#type = type;
    this.#profiles = profiles;
  }

  /** The check of an object by the node's children and invariants. `label` is for what is left out. */
  object(node: ProfileNode, place: Place, label: string): ObjectCheck {
    const children = [...childrenOf(place).values()];
    const checks = [...node.children.values()].map((child) => {
      const choices = children.filter(({ name, definedAs }) => name === child.name || definedAs === child.name);
      if (choices.length === 0) {
        this.left.push(`element ${label}.${child.name}`);
      }
      return this.#element(child, choices, `${label}.${child.name}`);
    });
    // An invariant of a choice element looks at its type, so it is written on the object that holds it.
    const choiceRules = [...node.children.values()].filter(({ name }) => name.endsWith('[x]')).map(({ rule }) => rule);
    const invariants = [node.rule, ...choiceRules].flatMap((rule) => this.#invariants(rule, label));
    return (object, walk) => {
      for (const check of checks) {
        check(object, walk);
      }
      for (const { key, says, severity, holds } of invariants) {
        if (!holds(object, walk.root)) {
          walk.report(key, `Rule ${key}: ${says}.`, undefined, severity);
        }
      }
    };
  }

  #element(node: ProfileNode, choices: readonly Child[], label: string): ObjectCheck {
    const count = compileCount(node, node.name);
    const each = this.#item(node, choices, label);
    const forms = choices.map(formOf);
    const slices = [...node.slices.values()].flatMap((slice) => this.#slice(node, slice, choices, label));
    return (object, walk) => {
      const found = itemsOf(object, forms);
      count(found.length, walk);
      for (const item of found) {
        visit(item, walk, each);
      }
      for (const slice of slices) {
        slice(found, walk);
      }
    };
  }

  #slice(
    list: ProfileNode,
    slice: ProfileNode,
    choices: readonly Child[],
    label: string,
  ): ((items: readonly Item[], walk: Walk) => void)[] {
    const name = `${label}:${slice.slice}`;
    const slicing = list.rule.slicing;
    const match = slicing && compileSlice(slicing, slice, choices[0]?.type ?? '', this.#profiles);
    if (!match) {
      this.left.push(`slice ${name}`);
      return [];
    }
    const count = compileCount(slice, `${list.name}:${slice.slice}`);
    const each = this.#item(slice, choices, name);
    return [
      (items, walk) => {
        const own = items.filter(({ value, child }) => value !== undefined && match(value, child));
        count(own.length, walk);
        for (const item of own) {
          visit(item, walk, each);
        }
      },
    ];
  }

  /** What the profile says of one value of the element, for each type it may have. */
  #item(node: ProfileNode, choices: readonly Child[], label: string): ItemCheck {
    const { rule } = node;
    const checks = new Map<string, ItemCheck[]>();
    for (const child of choices) {
      if (!rule.types || rule.types.includes(child.type)) {
        checks.set(child.name, this.#typed(node, child, label));
      }
    }
    if (rule.binding?.[0] === 'required' && choices.length > 0) {
      this.#noteBinding(rule.binding[1], label);
    }
    return (item, walk) => {
      const list = checks.get(item.child.name);
      if (!list) {
        walk.report('type', `The profile allows only ${rule.types?.join(', ')} here.`);
        return;
      }
      for (const check of list) {
        check(item, walk);
      }
    };
  }

  #typed(node: ProfileNode, child: Child, label: string): ItemCheck[] {
    const { rule } = node;
    const checks: ItemCheck[] = [];
    if (rule.fixed !== undefined) {
      const { fixed } = rule;
      checks.push(({ value }, walk) => {
        if (value === undefined || !isEqual(value, fixed)) {
          walk.report('fixed', 'This element must have exactly the value that the profile fixes.');
        }
      });
    }
    if (rule.pattern !== undefined) {
      const { pattern } = rule;
      checks.push(({ value }, walk) => {
        if (!matchesPattern(value, pattern)) {
          walk.report('pattern', 'This element must hold what the pattern of the profile asks for.');
        }
      });
    }
    const binding = compileBinding(rule.binding, child.type, (url) => this.#profiles.valueSet(url));
    if (binding) {
      checks.push(({ value }, walk) => {
        if (value !== undefined && !binding.allows(value)) {
          walk.report('required-binding', `No code of the required value set ${binding.valueSet} is given.`);
        }
      });
    }
    if (rule.targets && child.type === 'Reference') {
      const targets = new Set(rule.targets);
      checks.push(({ value }, walk) => {
        if (isObject(value)) {
          checkTarget(value, targets, walk);
        }
      });
    }
    for (const check of this.#below(node, child, label)) {
      checks.push(({ value }, walk) => {
        if (isObject(value)) {
          check(value, walk);
        }
      });
    }
    return checks;
  }

  #below(node: ProfileNode, child: Child, label: string): ObjectCheck[] {
    if (!child.below) {
      if (node.rule.constraints && child.name === child.definedAs) {
        this.left.push(...node.rule.constraints.map(([key]) => `invariant ${key} at ${label}`));
      }
      return [];
    }
    const checks: ObjectCheck[] = [];
    if (node.children.size > 0 || (node.rule.constraints && child.name === child.definedAs)) {
      checks.push(this.object(node, child.below, label));
    }
    for (const url of node.rule.profiles ?? []) {
      const profile = this.#profiles.byUrl(url);
      if (profile?.facts.type === child.type) {
        checks.push(this.object(this.#profiles.tree(profile), child.below, label));
      } else {
        this.left.push(`profile ${url} of ${label}`);
      }
    }
    return checks;
  }

  #invariants(rule: ProfileElement, label: string): Invariant[] {
    return (rule.constraints ?? []).flatMap(([key, , expression]) => {
      const known = knownInvariant(this.#type, key, expression);
      if (!known) {
        this.left.push(`invariant ${key} at ${label}`);
      }
      return known ? [known] : [];
    });
  }

  #noteBinding(valueSet: string, label: string): void {
    const known = this.#profiles.valueSet(valueSet);
    if (!known) {
      this.left.push(`value set ${valueSet} of ${label}`);
    } else if (known.systems) {
      this.left.push(`codes of ${known.systems.join(', ')} in value set ${valueSet} of ${label}`);
    }
  }
}

/** Another guide, or another version of one, may mean something else by the same key: the expression decides. */
function knownInvariant(type: string, key: string, expression: string): Invariant | undefined {
  const written = [...(profileInvariants[type] ?? []), ...(profileInvariants.Extension ?? [])];
  return shippedExpressions().has(`${key} ${expression}`)
    ? written.find((invariant) => invariant.key === key)
    : undefined;
}

let expressions: ReadonlySet<string> | undefined;

/** `key expression` of every invariant that the predicates were written for. */
function shippedExpressions(): ReadonlySet<string> {
  expressions ??= new Set(
    shippedProfiles.guides
      .flatMap(({ profiles }) => Object.values(profiles))
      .flatMap(({ elements }) => Object.values(elements))
      .flatMap(({ constraints }) => (constraints ?? []).map(([key, , expression]) => `${key} ${expression}`)),
  );
  return expressions;
}

function compileCount(node: ProfileNode, name: string): (count: number, walk: Walk) => void {
  const min = node.rule.min ?? 0;
  const max = node.rule.max === undefined ? unlimited : maxOf(node.rule.max);
  return (count, walk) => {
    if (count < min) {
      walk.report('cardinality', min === 1 ? `${name} is required.` : `${name} is required ${min} times.`, node.name);
    } else if (count > max) {
      walk.report(
        'cardinality',
        max === 0 ? `${name} is not allowed.` : `${name} is allowed ${max} times at most.`,
        node.name,
      );
    }
  };
}

/** A name that an element may have in an object, and that of what a primitive has beside its value. */
interface Form {
  readonly child: Child;
  readonly name: string;
  readonly beside: string | undefined;
}

function formOf(child: Child): Form {
  return { child, name: child.name, beside: isPrimitive(child.type) ? `_${child.name}` : undefined };
}

function itemsOf(object: JsonObject, forms: readonly Form[]): readonly Item[] {
  let found: Item[] | undefined;
  for (const { child, name, beside } of forms) {
    const given = object[name];
    const value = given ?? (beside === undefined ? undefined : object[beside]);
    if (value === undefined) continue;
    const isOnlyExtended = given === undefined;
    found ??= [];
    if (Array.isArray(value)) {
      for (let at = 0; at < value.length; at += 1) {
        const item = value[at];
        found.push({ name, at, value: isOnlyExtended || item === null ? undefined : item, child });
      }
    } else {
      found.push({ name, at: undefined, value: isOnlyExtended ? undefined : value, child });
    }
  }
  return found ?? nothing;
}

const nothing: readonly Item[] = [];

function visit(item: Item, walk: Walk, check: ItemCheck): void {
  walk.enter(item.name);
  if (item.at !== undefined) {
    walk.enter(item.at);
  }
  check(item, walk);
  if (item.at !== undefined) {
    walk.leave();
  }
  walk.leave();
}

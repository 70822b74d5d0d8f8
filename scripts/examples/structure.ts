// Breaks each structural rule at each place of an example where it holds: names, JSON types, cardinality, fixed values, patterns, required codes,
// reference targets, slices. Every break must be named by its rule, at its place.

import { compileBinding } from '../../src/fhir/bindings.ts';
import { type Child, childrenOf, isPrimitive, maxOf, type Place, unlimited } from '../../src/fhir/elements.ts';
import { baseFacts } from '../../src/fhir/facts.ts';
import { checkBase, checkProfile, shippedProfiles } from '../../src/fhir/fhir.ts';
import type { ProfileNode } from '../../src/fhir/profile-tree.ts';
import { compileSlice } from '../../src/fhir/slices.ts';
import { isObject, type Json, type JsonObject } from '../../src/json.ts';
import type { Example } from './read.ts';

type Step = string | number;

interface Break {
  readonly rule: string;
  /** Where it is to be named; the issue may be at a part of it. */
  readonly at: readonly Step[];
  /** The object that is changed. */
  readonly holder: readonly Step[];
  readonly edit: (holder: JsonObject) => void;
  /** An item of a slice counts only while it belongs to it. */
  readonly slices: readonly { readonly at: readonly Step[]; readonly has: (item: Json) => boolean }[];
}

/** Answers how many breaks were not found; each is printed. */
export function breakStructure(examples: readonly Example[]): number {
  const counts = new Map<string, number>();
  let misses = 0;
  for (const { name, resource, profiles } of examples) {
    const type = String(resource.resourceType);
    const runs = [
      { by: type, breaks: baseBreaks(resource, { type, path: '' }, []), check: checkBase },
      ...profiles.map((profile) => ({
        by: profile,
        breaks: profileBreaks(resource, profile),
        check: (broken: JsonObject) => checkProfile(broken, profile),
      })),
    ];
    for (const { by, breaks, check } of runs) {
      for (const { rule, at, holder, edit, slices } of breaks) {
        const broken = structuredClone(resource);
        const target = valueAt(broken, holder);
        if (!isObject(target)) continue;
        edit(target);
        if (!slices.every((slice) => slice.has(valueAt(broken, slice.at) ?? null))) continue;
        const kind = `${by === type ? 'base' : 'profile'} ${rule}`;
        counts.set(kind, (counts.get(kind) ?? 0) + 1);
        const place = pathOf(type, at);
        if (!check(broken).some((issue) => issue.rule === rule && issue.path.startsWith(place))) {
          misses += 1;
          console.log(`missed: ${name}: ${by}: ${rule} at ${place}`);
        }
      }
    }
  }
  const total = [...counts.values()].reduce((sum, count) => sum + count, 0);
  console.log(
    `structure ${JSON.stringify({ broken: total, found: total - misses, ...Object.fromEntries([...counts].sort()) })}`,
  );
  return misses;
}

function baseBreaks(object: JsonObject, place: Place, holder: readonly Step[]): Break[] {
  const found: Break[] = [];
  const children = childrenOf(place);
  const add = (rule: string, at: readonly Step[], edit: Break['edit']): void => {
    found.push({ rule, at: [...holder, ...at], holder, edit, slices: [] });
  };
  add('unknown-element', ['zzUnknown'], (it) => {
    it.zzUnknown = true;
  });
  for (const [name, value] of Object.entries(object)) {
    const child = children.get(name);
    if (!child || value === null) continue;
    const isChoice = child.definedAs !== name;
    if ((child.element.min ?? 0) > 0) {
      add('cardinality', [child.definedAs], (it) => {
        delete it[name];
        delete it[`_${name}`];
      });
    }
    const other = isChoice
      ? [...children.values()].find((one) => one.definedAs === child.definedAs && one.name !== name)
      : undefined;
    if (other) {
      add('cardinality', [], (it) => {
        it[other.name] = sample(other.type);
      });
    }
    add('type', [name], (it) => {
      it[name] = Array.isArray(value) ? (value[0] ?? null) : [value];
    });
    if (Array.isArray(value)) {
      add('empty', [name], (it) => {
        it[name] = [];
      });
    }
    for (const [at, item] of itemsOf(value)) {
      const set = (replaced: Json) => (it: JsonObject) => put(it, name, at, replaced);
      const here = at === undefined ? [name] : [name, at];
      if (item === null) continue;
      if (isPrimitive(child.type)) {
        add('type', here, set(typeof item === 'string' ? 5.5 : 'zz'));
      } else if (child.type !== 'Resource') {
        add('type', here, set('zz'));
        add('empty', here, set({}));
      }
      if (compileBinding(child.element.binding, child.type, (url) => baseFacts.valueSets[url])) {
        add('required-binding', here, set(foreignCode(child.type)));
      }
      if (child.type === 'Reference' && child.element.targets) {
        add('reference-target', here, set({ reference: 'Basic/zz' }));
      }
      if (child.below && isObject(item)) {
        found.push(...baseBreaks(item, child.below, [...holder, ...here]));
      }
    }
  }
  return found;
}

function profileBreaks(resource: JsonObject, id: string): Break[] {
  const profile = shippedProfiles.byId(id);
  if (!profile) return [];
  const { type } = profile.facts;
  return nodeBreaks(shippedProfiles.tree(profile), resource, { type, path: '' }, [], []);
}

interface Found {
  readonly child: Child;
  readonly at: number | undefined;
  readonly value: Json;
}

function nodeBreaks(
  node: ProfileNode,
  object: JsonObject,
  place: Place,
  holder: readonly Step[],
  slices: Break['slices'],
): Break[] {
  const all = [...childrenOf(place).values()];
  return [...node.children.values()].flatMap((element) => {
    const choices = all.filter(({ name, definedAs }) => name === element.name || definedAs === element.name);
    const items = choices.flatMap((child): Found[] => {
      const value = object[child.name];
      return value === undefined ? [] : itemsOf(value).map(([at, item]) => ({ child, at, value: item }));
    });
    const own = items.flatMap((item) => itemBreaks(element, item, choices, holder, slices));
    const { slicing } = element.rule;
    const sliced = [...element.slices.values()].flatMap((slice) => {
      const match = slicing && compileSlice(slicing, slice, choices[0]?.type ?? '', shippedProfiles);
      const inside = match ? items.filter(({ value, child }) => match(value, child)) : [];
      const below = inside.flatMap((item) => {
        const at = [...holder, item.child.name, ...(item.at === undefined ? [] : [item.at])];
        const guard = { at, has: (value: Json) => value !== null && match?.(value, item.child) === true };
        return itemBreaks(slice, item, choices, holder, [...slices, guard]);
      });
      return [...countBreaks(slice, inside, holder, slices), ...below];
    });
    return [...countBreaks(element, items, holder, slices), ...own, ...sliced];
  });
}

function countBreaks(
  { name, rule }: ProfileNode,
  items: readonly Found[],
  holder: readonly Step[],
  slices: Break['slices'],
): Break[] {
  const breaks: Break[] = [];
  const at = [...holder, name];
  const min = rule.min ?? 0;
  const max = rule.max === undefined ? unlimited : maxOf(rule.max);
  const [first] = items;
  if (min > 0 && items.length >= min) {
    breaks.push({ rule: 'cardinality', at, holder, slices, edit: (it) => removeItems(it, items.slice(min - 1)) });
  }
  if (first?.at !== undefined && max > 0 && max < unlimited) {
    const extra = Array.from({ length: max + 1 - items.length }, () => structuredClone(first.value));
    breaks.push({
      rule: 'cardinality',
      at,
      holder,
      slices,
      edit: (it) => {
        const list = it[first.child.name];
        it[first.child.name] = [...(Array.isArray(list) ? list : []), ...extra];
      },
    });
  }
  return breaks;
}

function itemBreaks(
  { rule, name, children }: ProfileNode,
  { child, at, value }: Found,
  choices: readonly Child[],
  holder: readonly Step[],
  slices: Break['slices'],
): Break[] {
  const here = [...holder, child.name, ...(at === undefined ? [] : [at])];
  const breaks: Break[] = [];
  const add = (broken: string, replaced: Json): void => {
    breaks.push({ rule: broken, at: here, holder, slices, edit: (it) => put(it, child.name, at, replaced) });
  };
  const otherValue: Json =
    typeof value === 'string'
      ? 'zz-other'
      : typeof value === 'boolean'
        ? !value
        : typeof value === 'number'
          ? value + 1
          : { id: 'zz' };
  if (rule.fixed !== undefined) add('fixed', otherValue);
  if (rule.pattern !== undefined) add('pattern', otherValue);
  if (compileBinding(rule.binding, child.type, (url) => shippedProfiles.valueSet(url))) {
    add('required-binding', foreignCode(child.type));
  }
  if (child.type === 'Reference' && rule.targets) add('reference-target', { reference: 'Basic/zz' });
  const { types } = rule;
  const other = types && name.endsWith('[x]') ? choices.find((choice) => !types.includes(choice.type)) : undefined;
  if (other) {
    breaks.push({
      rule: 'type',
      at: [...holder, other.name],
      holder,
      slices,
      edit: (it) => {
        delete it[child.name];
        it[other.name] = sample(other.type);
      },
    });
  }
  if (isObject(value) && child.below) {
    const trees = (rule.profiles ?? []).flatMap((url) => {
      const profile = shippedProfiles.byUrl(url);
      return profile?.facts.type === child.type ? [shippedProfiles.tree(profile)] : [];
    });
    const own: ProfileNode[] = children.size > 0 ? [{ name, rule: {}, children, slices: new Map() }] : [];
    for (const tree of [...own, ...trees]) {
      breaks.push(...nodeBreaks(tree, value, child.below, here, slices));
    }
  }
  return breaks;
}

function removeItems(object: JsonObject, items: readonly Found[]): void {
  for (const { child, at } of items.toReversed()) {
    const list = object[child.name];
    if (at !== undefined && Array.isArray(list) && list.length > 1) list.splice(at, 1);
    else delete object[child.name];
    delete object[`_${child.name}`];
  }
}

function put(object: JsonObject, name: string, at: number | undefined, value: Json): void {
  const list = object[name];
  if (at === undefined) object[name] = value;
  else if (Array.isArray(list)) list[at] = value;
}

function itemsOf(value: Json): [number | undefined, Json][] {
  return Array.isArray(value) ? value.map((item, at) => [at, item]) : [[undefined, value]];
}

function foreignCode(type: string): Json {
  const coding = { system: 'urn:zz', code: 'zz' };
  return type === 'CodeableConcept'
    ? { coding: [coding] }
    : type === 'Coding'
      ? coding
      : type === 'Quantity'
        ? { value: 1, ...coding }
        : 'zz-no-code';
}

/** Something that has the JSON kind of the type. */
function sample(type: string): Json {
  if (!isPrimitive(type)) return { id: 'zz' };
  const numbers = ['integer', 'decimal', 'positiveInt', 'unsignedInt'];
  return type === 'boolean' ? true : numbers.includes(type) ? 1 : 'zz';
}

export function valueAt(resource: JsonObject, steps: readonly Step[]): Json | undefined {
  let value: Json | undefined = resource;
  for (const step of steps) {
    value =
      typeof step === 'number'
        ? Array.isArray(value)
          ? value[step]
          : undefined
        : isObject(value)
          ? value[step]
          : undefined;
  }
  return value;
}

export function pathOf(type: string, steps: readonly Step[]): string {
  return steps.reduce<string>(
    (path, step) => (typeof step === 'number' ? `${path}[${step}]` : `${path}.${step}`),
    type,
  );
}

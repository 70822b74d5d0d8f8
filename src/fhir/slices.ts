// Which items of a sliced list belong to a slice (https://hl7.org/fhir/R4/profiling.html#discriminator).
// Discriminators that need another resource (`profile`, `resolve()`) are not decided here.

import type { Json, JsonObject } from '../json.ts';
import { isObject } from '../json.ts';
import { compileBinding } from './bindings.ts';
import { type Child, choiceName } from './elements.ts';
import type { SlicingFact } from './facts.ts';
import { canonicalJson } from './hashing.ts';
import type { ProfileNode, Profiles } from './profile-tree.ts';
import { items } from './values.ts';

/** True when the item, an element of the type of `child`, is one of the slice's. */
export type SliceMatch = (item: Json, child: Pick<Child, 'type'>) => boolean;

/** The test for a slice; undefined where it cannot be told from the item alone. */
export function compileSlice(
  slicing: SlicingFact,
  slice: ProfileNode,
  type: string,
  profiles: Profiles,
): SliceMatch | undefined {
  const tests = slicing.discriminators.map(([kind, path]) => compileDiscriminator(kind, path, slice, type, profiles));
  const known = tests.filter((test) => test !== undefined);
  return known.length > 0 && known.length === tests.length
    ? (item, child) => known.every((test) => test(item, child))
    : undefined;
}

function compileDiscriminator(
  kind: string,
  path: string,
  slice: ProfileNode,
  type: string,
  profiles: Profiles,
): SliceMatch | undefined {
  switch (kind) {
    case 'value':
    case 'pattern':
      return compileValue(path, slice, type, profiles);
    case 'type':
      return compileType(path, slice);
    case 'exists':
      return compileExists(path, slice);
    default:
      return undefined;
  }
}

function compileValue(path: string, slice: ProfileNode, type: string, profiles: Profiles): SliceMatch | undefined {
  if (path === 'url' && slice.rule.profiles) {
    const urls = slice.rule.profiles;
    return (item) => isObject(item) && typeof item.url === 'string' && urls.includes(item.url);
  }
  // A value on the whole item says what the discriminating part is, too.
  const isWhole = path === '$this' || slice.rule.fixed !== undefined || slice.rule.pattern !== undefined;
  if (isWhole) {
    return criterion(slice, type, profiles);
  }
  const names = path.split('.');
  let node: ProfileNode | undefined = slice;
  for (const name of names) {
    node = node?.children.get(name);
  }
  // The datatype of the part matters for bindings only; where those discriminate, it is a CodeableConcept.
  const part = node && criterion(node, 'CodeableConcept', profiles);
  return part && ((item) => valuesAt(item, names).some(part));
}

/** What a fixed value, a pattern or a fully known required binding says of a value. */
function criterion(
  { rule, children }: ProfileNode,
  type: string,
  profiles: Profiles,
): ((value: Json) => boolean) | undefined {
  if (rule.fixed !== undefined) {
    const { fixed } = rule;
    return (value) => isEqual(value, fixed);
  }
  if (rule.pattern !== undefined) {
    const { pattern } = rule;
    return (value) => matchesPattern(value, pattern);
  }
  const known = rule.binding && profiles.valueSet(rule.binding[1]);
  if (known && !known.systems) {
    return compileBinding(rule.binding, type, (url) => profiles.valueSet(url))?.allows;
  }
  const parts = [...children.values()].flatMap((child): [string, (value: Json) => boolean][] => {
    const test = criterion(child, 'CodeableConcept', profiles);
    return test ? [[child.name, test]] : [];
  });
  return parts.length > 0 ? (value) => parts.every(([name, test]) => valuesAt(value, [name]).some(test)) : undefined;
}

function compileType(path: string, slice: ProfileNode): SliceMatch | undefined {
  if (path === '$this') {
    const types = slice.rule.types;
    return types && ((_item, child) => types.includes(child.type));
  }
  const choice = slice.children.get(`${path}[x]`);
  const types = choice && [...choice.slices.values(), choice].flatMap(({ rule }) => rule.types ?? []);
  const names = types?.map((type) => choiceName(`${path}[x]`, type)) ?? [];
  return names.length > 0 ? (item) => isObject(item) && names.some((name) => item[name] !== undefined) : undefined;
}

/** Only `extension('url')` is used by the guides: the slice's own minimum says whether it must be there or not. */
function compileExists(path: string, slice: ProfileNode): SliceMatch | undefined {
  const url = /^extension\('([^']+)'\)$/.exec(path)?.[1];
  const extension = [...(slice.children.get('extension')?.slices.values() ?? [])].find(({ rule }) =>
    rule.profiles?.includes(url ?? ''),
  );
  if (!extension) {
    return undefined;
  }
  const mustExist = (extension.rule.min ?? 0) > 0;
  return (item) => isObject(item) && hasExtension(item, url ?? '') === mustExist;
}

function hasExtension(object: JsonObject, url: string): boolean {
  return items(object.extension).some((extension) => isObject(extension) && extension.url === url);
}

function valuesAt(value: Json, names: readonly string[]): readonly Json[] {
  return names.reduce<readonly Json[]>(
    (values, name) => values.flatMap((it) => (isObject(it) ? items(it[name]) : [])),
    [value],
  );
}

/** Deep equality, whatever the order of keys. */
export function isEqual(value: Json, expected: Json): boolean {
  return value === expected || (typeof expected === 'object' && canonicalJson(value) === canonicalJson(expected));
}

/** True when the value has all that the pattern has; a list must hold a match for each item of the pattern's list. */
export function matchesPattern(value: Json | undefined, pattern: Json): boolean {
  if (Array.isArray(pattern)) {
    return Array.isArray(value) && pattern.every((wanted) => value.some((item) => matchesPattern(item, wanted)));
  }
  if (isObject(pattern)) {
    return isObject(value) && Object.entries(pattern).every(([name, wanted]) => matchesPattern(value[name], wanted));
  }
  return value === pattern;
}

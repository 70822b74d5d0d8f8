// What the rules of a mapping can make of a resource, held against a profile before there is any record: what the profile requires or says must be
// supported and nobody makes, and values that it does not allow. Only what is certain is told; what depends on a record is left to the check of the resource.

import { isObject, type Json, type JsonObject } from '../json.ts';
import { compileBinding } from './bindings.ts';
import type { ProfileNode, Profiles } from './profile-tree.ts';
import { compileSlice, isEqual, matchesPattern } from './slices.ts';

/** One way in which an element, or an item of a list, comes about. Neither `values` nor `parts`: what it will be is not known. */
export interface Made {
  /** FHIR type: 'CodeableConcept'. */
  readonly type: string;
  /** Every value that it may have. */
  readonly values?: readonly Json[];
  /** By JSON name, of an object whose parts have rules of their own. */
  readonly parts?: ReadonlyMap<string, MadeElement>;
  /** `file:line` */
  readonly at: string;
}

/** Ways that exclude each other, or items of one list. */
export interface MadeElement {
  readonly isList: boolean;
  readonly ways: readonly Made[];
}

export interface MadeIssues {
  /** Addresses of must-support elements that nothing makes: 'name.suffix', 'category:SDOHCC'. */
  readonly unsupported: string[];
  /** Addresses of slices that the profile requires and nothing makes. */
  readonly missing: string[];
  /** Rules that make what the profile does not allow. */
  readonly refused: { readonly address: string; readonly at: string; readonly why: string }[];
}

/** Ours, or the server's, whatever the mapping says. */
const ownElements = ['identifier', 'meta', 'id'];

export function checkMade(resource: Made, profile: string, profiles: Profiles): MadeIssues {
  const issues: MadeIssues = { unsupported: [], missing: [], refused: [] };
  const found = profiles.byId(profile);
  if (found) {
    new MadeCheck(profiles, issues).children(profiles.tree(found), [resource], '');
  }
  return issues;
}

class MadeCheck {
  readonly #profiles: Profiles;
  readonly #issues: MadeIssues;

  constructor(profiles: Profiles, issues: MadeIssues) {
    this.#profiles = profiles;
    this.#issues = issues;
  }

  children(node: ProfileNode, holders: readonly Made[], prefix: string): void {
    const below = holders.map(partsOf);
    // What is made as a whole, such as a reference, says by itself what is in it.
    const known = below.filter((parts) => parts !== undefined);
    if (known.length < below.length || known.length === 0) {
      return;
    }
    for (const child of node.children.values()) {
      if (prefix === '' && ownElements.includes(child.name)) {
        continue;
      }
      const ways = known.flatMap((parts) => waysOf(parts, child.name));
      this.#element(child, ways, `${prefix}${child.name}`);
    }
  }

  #element(node: ProfileNode, ways: readonly Made[], address: string): void {
    if (ways.length === 0) {
      if (node.rule.mustSupport) {
        this.#issues.unsupported.push(address);
      }
      return;
    }
    this.#values(node, ways, address);
    this.children(node, ways, `${address}.`);
    for (const slice of node.slices.values()) {
      this.#slice(node, slice, ways, `${address}:${slice.slice}`);
    }
  }

  #slice(list: ProfileNode, slice: ProfileNode, ways: readonly Made[], address: string): void {
    const { slicing } = list.rule;
    const match = slicing && compileSlice(slicing, slice, ways[0]?.type ?? '', this.#profiles);
    if (!match) {
      return;
    }
    const isOwn = (way: Made): boolean => samplesOf(way).some((sample) => match(sample, way));
    // Of the values of one rule only those in the slice must satisfy it.
    const own = ways.filter(isOwn).map((way) => ({
      ...way,
      ...(way.values && { values: way.values.filter((value) => match(value, way)) }),
    }));
    const isUnclear = ways.some((way) => !isOwn(way) && !slicing.discriminators.every((one) => isKnownAt(way, one)));
    if (own.length > 0) {
      this.#values(slice, own, address);
      this.children(slice, own, `${address}.`);
    } else if (!isUnclear) {
      if ((slice.rule.min ?? 0) > 0) {
        this.#issues.missing.push(address);
      } else if (slice.rule.mustSupport) {
        this.#issues.unsupported.push(address);
      }
    }
  }

  #values({ rule, name }: ProfileNode, ways: readonly Made[], address: string): void {
    for (const way of ways) {
      const samples = samplesOf(way);
      const refuse = (why: string): void => {
        this.#issues.refused.push({ address, at: way.at, why });
      };
      const { fixed, pattern } = rule;
      if (fixed !== undefined && isWhole(way) && !samples.every((sample) => isEqual(sample, fixed))) {
        refuse('the profile fixes another value');
      }
      if (pattern !== undefined && isWhole(way) && !samples.every((sample) => matchesPattern(sample, pattern))) {
        refuse('the pattern of the profile asks for something else');
      }
      if (rule.types && name.endsWith('[x]') && !rule.types.includes(way.type)) {
        refuse(`the profile allows only ${rule.types.join(', ')}`);
      }
      const binding = isWhole(way)
        ? compileBinding(rule.binding, way.type, (url) => this.#profiles.valueSet(url))
        : undefined;
      const outside = binding ? samples.filter((sample) => !binding.allows(sample)) : [];
      if (binding && outside.length > 0) {
        refuse(`${codesIn(outside).join(', ')} is in no code of the required value set ${binding.valueSet}`);
      }
    }
  }
}

function partsOf({ values, parts, type, at }: Made): ReadonlyMap<string, MadeElement> | undefined {
  if (parts || !values?.every(isObject)) {
    return parts;
  }
  const names = new Set(values.flatMap((value) => Object.keys(value)));
  return new Map(
    [...names].map((name) => {
      const all = values.flatMap((value) => value[name] ?? []);
      return [
        name,
        {
          isList: values.some((value) => Array.isArray(value[name])),
          ways: [{ type: partType(type, name), values: all, at }],
        },
      ];
    }),
  );
}

/** The coded parts are the only ones that a binding or a slice looks at below a value that is known as a whole. */
function partType(type: string, name: string): string {
  return type === 'CodeableConcept' && name === 'coding' ? 'Coding' : name === 'code' ? 'code' : 'string';
}

function waysOf(parts: ReadonlyMap<string, MadeElement>, name: string): readonly Made[] {
  if (!name.endsWith('[x]')) {
    return parts.get(name)?.ways ?? [];
  }
  const choice = name.slice(0, -3);
  return [...parts].flatMap(([key, { ways }]) =>
    key.startsWith(choice) && /^[A-Z]/.test(key.slice(choice.length)) ? ways : [],
  );
}

/** What is there, and nothing is known of it. */
const unknown: readonly Json[] = [{}];

/** Values that it may have; of parts that vary, each value stands in at least one of them. */
function samplesOf({ values, parts }: Made): readonly Json[] {
  if (!parts) {
    return values ?? unknown;
  }
  const columns = [...parts].map(([name, { isList, ways }]) => {
    const each = ways.map(samplesOf);
    return { name, isList, each: isList ? each : [each.flat()] };
  });
  const count = Math.max(1, ...columns.flatMap(({ each }) => each.map(({ length }) => length)));
  return Array.from({ length: count }, (_, at) => {
    const sample: JsonObject = {};
    for (const { name, isList, each } of columns) {
      const picked = each.flatMap((samples) => (samples.length === 0 ? [] : [samples[at % samples.length] ?? null]));
      const [first] = picked;
      if (first !== undefined) {
        sample[name] = isList ? picked : first;
      }
    }
    return sample;
  });
}

/** Words beside a code, which no pattern and no slice of the guides looks at. */
const words = ['text', 'display'];

/** True when every value that counts is known. */
function isWhole({ values, parts }: Made): boolean {
  return (
    values !== undefined ||
    (parts !== undefined && [...parts].every(([name, { ways }]) => words.includes(name) || ways.every(isWhole)))
  );
}

/** True when what tells the slices apart is known. */
function isKnownAt(way: Made, [kind, path]: readonly [string, string]): boolean {
  if (kind === 'type' || path === '$this') {
    return kind === 'type' || isWhole(way);
  }
  let ways: readonly Made[] = [way];
  for (const name of path.split('.')) {
    const below = ways.map(partsOf);
    if (below.includes(undefined)) {
      return false;
    }
    ways = below.flatMap((parts) => parts?.get(name)?.ways ?? []);
  }
  return ways.every(isWhole);
}

function codesIn(values: readonly Json[]): string[] {
  const codes = values.flatMap((value): Json[] => {
    if (!isObject(value)) return [value];
    return Array.isArray(value.coding)
      ? value.coding.map((coding) => (isObject(coding) ? (coding.code ?? '') : ''))
      : [value.code ?? ''];
  });
  return [...new Set(codes.map(String))];
}

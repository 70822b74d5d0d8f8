// What a profile demands by path, for those who write resources: what must be there, and what must be supported.

import { type Child, childrenOf, type Place } from './elements.ts';
import { baseFacts } from './facts.ts';
import { type ProfileNode, type Profiles, shippedProfiles } from './profile-tree.ts';

export interface RequiredPath {
  /** Below the resource type; choices by their definition name: 'category', 'telecom.system', 'source[x]'. */
  readonly path: string;
  /** The same with the slices it speaks of: 'telecom:AppointmentContact.system'. Without slices it equals `path`. */
  readonly address: string;
  readonly min: number;
  /** The nearest optional element or slice around it, as an address: required only where that one is given. */
  readonly when?: string;
}

/**
 * The elements that the profile and base R4 require, through backbones and as deep as the profile goes.
 * `profile` is a profile id, or the name of a resource type for base R4 alone; empty for an unknown one.
 */
export function requiredPaths(profile: string, profiles: Profiles = shippedProfiles): readonly RequiredPath[] {
  const known = pathsOf.get(profiles) ?? new Map<string, readonly RequiredPath[]>();
  pathsOf.set(profiles, known);
  const paths = known.get(profile) ?? collectPaths(profile, profiles);
  known.set(profile, paths);
  return paths;
}

/** Every slot asks for its type and its profiles again. */
const pathsOf = new WeakMap<Profiles, Map<string, readonly RequiredPath[]>>();

function collectPaths(profile: string, profiles: Profiles): RequiredPath[] {
  const found = profiles.byId(profile);
  const type = found?.facts.type ?? profile;
  const paths: RequiredPath[] = [];
  if (baseFacts.types[type]?.kind === 'resource') {
    collect({ type, path: '' }, found && profiles.tree(found), { path: '', address: '' }, paths);
  }
  return paths;
}

/** The addresses of the profile's must-support elements; a slice is named after its list: 'category:SDOHCC'. */
export function mustSupportPaths(profile: string, profiles: Profiles = shippedProfiles): string[] {
  const elements = profiles.byId(profile)?.facts.elements ?? {};
  return Object.entries(elements).flatMap(([address, { mustSupport }]) => (mustSupport ? [address] : []));
}

/** The element whose children are collected; both texts end with a dot, or are empty. */
interface Around {
  readonly path: string;
  readonly address: string;
  readonly when?: string;
}

function collect(place: Place, node: ProfileNode | undefined, around: Around, paths: RequiredPath[]): void {
  for (const child of elementsAt(place)) {
    const rule = node?.children.get(child.definedAs);
    collectElement(child, rule, around, paths);
    for (const slice of rule?.slices.values() ?? []) {
      collectElement(child, slice, around, paths);
    }
  }
}

function collectElement(child: Child, rule: ProfileNode | undefined, around: Around, paths: RequiredPath[]): void {
  const slice = rule?.slice === undefined ? '' : `:${rule.slice}`;
  const path = around.path + child.definedAs;
  const address = around.address + child.definedAs + slice;
  // What the list itself needs is said once: a slice, and what is below one, adds what the profile says of it.
  const isSliced = address !== path;
  const min = Math.max(isSliced ? 0 : (child.element.min ?? 0), rule?.rule.min ?? 0);
  if (min > 0) {
    paths.push({ path, address, min, ...(around.when !== undefined && { when: around.when }) });
  }
  const isBackbone =
    (child.type === 'BackboneElement' || child.type === 'Element') && child.element.content === undefined;
  if (child.below && ((isBackbone && !isSliced) || (rule?.children.size ?? 0) > 0)) {
    const when = min > 0 ? around.when : address;
    collect(
      child.below,
      rule,
      { path: `${path}.`, address: `${address}.`, ...(when !== undefined && { when }) },
      paths,
    );
  }
}

/** One child for each element; a choice stands once, by its first type. */
function elementsAt(place: Place): Child[] {
  const seen = new Map<string, Child>();
  for (const child of childrenOf(place).values()) {
    if (!seen.has(child.definedAs) && child.max > 0) {
      seen.set(child.definedAs, child);
    }
  }
  return [...seen.values()];
}

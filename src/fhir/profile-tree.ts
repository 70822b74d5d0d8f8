// The elements of a profile as a tree: 'output:PerformedActivityCode.type' is the child 'type' of the slice 'PerformedActivityCode' of 'output'.

import { isResourceType } from './elements.ts';
import {
  baseFacts,
  type GuideFacts,
  type ProfileElement,
  type ProfileFacts,
  shippedGuides,
  type ValueSetFacts,
} from './facts.ts';

export interface ProfileNode {
  /** JSON name, or the name of a choice ('value[x]'); a slice has the name of its list. */
  readonly name: string;
  readonly slice?: string;
  rule: ProfileElement;
  readonly children: Map<string, ProfileNode>;
  readonly slices: Map<string, ProfileNode>;
}

export interface Profile {
  readonly id: string;
  readonly facts: ProfileFacts;
}

/** The profiles of some guides, by id and by URL, and the value sets that they bind to. */
export class Profiles {
  readonly guides: readonly GuideFacts[];
  readonly #byId: ReadonlyMap<string, Profile>;
  readonly #byUrl: ReadonlyMap<string, Profile>;
  readonly #valueSets: ReadonlyMap<string, ValueSetFacts>;
  readonly #trees = new Map<string, ProfileNode>();

  constructor(guides: readonly GuideFacts[]) {
    this.guides = guides;
    const all = guides.flatMap(({ profiles }) => Object.entries(profiles)).map(([id, facts]) => ({ id, facts }));
    this.#byId = new Map(all.map((profile) => [profile.id, profile]));
    this.#byUrl = new Map(all.map((profile) => [profile.facts.url, profile]));
    const valueSets = [baseFacts, ...guides.toReversed()].flatMap((facts) => Object.entries(facts.valueSets));
    this.#valueSets = new Map(valueSets);
  }

  /** A profile by its id ('us-core-patient'); undefined when no guide has it. */
  byId(id: string): Profile | undefined {
    return this.#byId.get(id);
  }

  byUrl(url: string): Profile | undefined {
    return this.#byUrl.get(url);
  }

  /** Ids of the profiles of resources, not those of extensions and datatypes. */
  ids(): string[] {
    return [...this.#byId.values()].filter(({ facts }) => isResourceType(facts.type)).map(({ id }) => id);
  }

  valueSet(url: string): ValueSetFacts | undefined {
    return this.#valueSets.get(url);
  }

  tree({ id, facts }: Profile): ProfileNode {
    let tree = this.#trees.get(id);
    if (!tree) {
      tree = buildTree(facts);
      this.#trees.set(id, tree);
    }
    return tree;
  }
}

/** The profiles of the guides that come with Casebridge. */
export const shippedProfiles = new Profiles(shippedGuides);

/** Canonical URL of a profile, without version. */
export function profileUrl(id: string | undefined, profiles: Profiles = shippedProfiles): string | undefined {
  return id === undefined ? undefined : profiles.byId(id)?.facts.url;
}

/** Ids of the profiles of resources, not those of extensions and datatypes. */
export function profileIds(profiles: Profiles = shippedProfiles): string[] {
  return profiles.ids();
}

function buildTree(facts: ProfileFacts): ProfileNode {
  const root = node(facts.type);
  for (const [address, rule] of Object.entries(facts.elements)) {
    let at = root;
    for (const step of address === '' ? [] : address.split('.')) {
      const [name = step, slice] = step.split(':');
      at = childOf(at, name);
      if (slice !== undefined) {
        at = sliceOf(at, slice);
      }
    }
    at.rule = rule;
  }
  return root;
}

function node(name: string, slice?: string): ProfileNode {
  return { name, slice, rule: {}, children: new Map(), slices: new Map() };
}

function childOf(parent: ProfileNode, name: string): ProfileNode {
  const child = parent.children.get(name) ?? node(name);
  parent.children.set(name, child);
  return child;
}

function sliceOf(list: ProfileNode, name: string): ProfileNode {
  const slice = list.slices.get(name) ?? node(list.name, name);
  list.slices.set(name, slice);
  return slice;
}

// The elements of a profile as a tree: 'output:PerformedActivityCode.type' is the child 'type' of the slice 'PerformedActivityCode' of 'output'.

import {
  baseFacts,
  type GuideFacts,
  guides,
  type ProfileElement,
  type ProfileFacts,
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

const byId = new Map(
  guides.flatMap(({ profiles }: GuideFacts) => Object.entries(profiles)).map(([id, facts]) => [id, { id, facts }]),
);
const byUrl = new Map([...byId.values()].map((profile): [string, Profile] => [profile.facts.url, profile]));
const trees = new Map<string, ProfileNode>();

/** A profile of the guides by its id ('us-core-patient'); undefined when no guide has it. */
export function profileById(id: string): Profile | undefined {
  return byId.get(id);
}

/** Its canonical URL without version. */
export function profileUrl(id: string | undefined): string | undefined {
  return id === undefined ? undefined : byId.get(id)?.facts.url;
}

/** Ids of the profiles of resources, not those of extensions. */
export function profileIds(): string[] {
  return [...byId.values()].filter(({ facts }) => facts.type !== 'Extension').map(({ id }) => id);
}

export function profileByUrl(url: string): Profile | undefined {
  return byUrl.get(url);
}

export function findValueSet(url: string): ValueSetFacts | undefined {
  return guides.find(({ valueSets }) => valueSets[url])?.valueSets[url] ?? baseFacts.valueSets[url];
}

export function profileTree({ id, facts }: Profile): ProfileNode {
  let tree = trees.get(id);
  if (!tree) {
    tree = buildTree(facts);
    trees.set(id, tree);
  }
  return tree;
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

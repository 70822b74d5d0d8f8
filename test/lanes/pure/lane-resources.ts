// Resources of a lane as the planner sees them, made by hand: one slot of a few elements, and every field at its plainest.

import type { JsonObject } from '../../../src/json.ts';
import type { LaneResource, LinkState, Observation, ResourceKey } from '../../../src/lanes/lane-resource.ts';
import type { CompiledSlot, Desired, Facts, Owner, SlotElement } from '../../../src/mapping/mapping.ts';
import { referralTaskMoves } from '../../../src/referrals/referrals.ts';

export type ElementShape = Partial<Pick<SlotElement, 'moves' | 'goesWith' | 'derived'>> & { readonly owner?: Owner };

/** A slot whose elements are the resource's own fields of these names; it retires by `retired`, where its type can say so. */
export function aSlot(
  shapes: Readonly<Record<string, ElementShape>>,
  retired: JsonObject | 'never' = { status: 'entered-in-error' },
): CompiledSlot {
  const elements = Object.entries(shapes).map(([key, { owner = 'source', derived = false, ...more }]) => ({
    key,
    owner: () => owner,
    derived,
    converter: 'copy',
    at: 'goal.yaml:1',
    ...more,
  }));
  return {
    name: 'goal',
    resourceType: 'Goal',
    form: 'as of now',
    owner: () => 'source',
    elements,
    facts: (resource) => only(Object.keys(shapes), resource),
    copy: (keys, from, to) => ({ ...without(keys, to), ...only(keys, from) }),
    withOurs: (_keys, observed) => observed,
    remade: (_keys, resource) => resource,
    retire: (resource) => (retired === 'never' ? undefined : { ...resource, ...retired }),
    recall: (resource) => (retired === 'never' ? undefined : { ...without(Object.keys(shapes), resource), ...retired }),
    raw: (key, resource) => resource[key],
    says: (key, observed, record) => observed[key] === record[key],
    absorb: (keys, observed, record) => {
      const taken = elements
        .filter((element) => keys.includes(element.key) && !element.derived)
        .filter(({ moves, goesWith }) => moves === undefined && goesWith === undefined)
        .filter(({ key }) => observed[key] !== record[key]);
      return { patch: Object.fromEntries(taken.map(({ key }) => [key, observed[key] ?? null])), issues: [] };
    },
  };
}

export const goalKey: ResourceKey = { type: 'goal', id: 'g1', slot: 'goal' };

/** What the record wants: the body is its facts with a type and an identifier. */
export function desiredOf(facts: Facts, overrides: Partial<Desired> = {}): Desired {
  return {
    slot: 'goal',
    resourceType: 'Goal',
    resource: { resourceType: 'Goal', identifier: [{ value: 'county/goal/g1#goal' }], ...facts },
    facts,
    references: [],
    issues: [],
    invalid: [],
    ...overrides,
  };
}

/** A resource that has no link yet, may be sent, and has nothing in its way. */
export function aResource(overrides: Partial<LaneResource> = {}): LaneResource {
  return {
    key: goalKey,
    resourceType: 'Goal',
    placeholder: 'urn:uuid:g1',
    record: { id: 'g1', updatedAt: '2026-02-03T09:30:00-05:00' },
    recordVersion: 1,
    slot: aSlot({ text: {}, note: {} }),
    desired: desiredOf({ text: 'Food' }),
    link: undefined,
    nextGeneration: 1,
    observed: undefined,
    isGone: false,
    route: { route: 'native', reason: undefined },
    leave: undefined,
    waits: [],
    parked: undefined,
    openTopics: new Set(),
    party: 'requester',
    moves: referralTaskMoves,
    search: 'none',
    ...overrides,
  };
}

/** The link of something that we made, which the server took as it was sent. */
export function aLink(facts: Facts, overrides: Partial<LinkState> = {}): LinkState {
  return {
    generation: 1,
    remoteId: '17',
    origin: 'created',
    retired: false,
    sent: facts,
    seen: facts,
    seenHash: 'hash of the first look',
    versionTag: 'W/"1"',
    ...overrides,
  };
}

/** What a read of this run shows: these facts beside an element that the mapping does not know. */
export function seen(facts: Facts, overrides: Partial<Observation> = {}): Observation {
  return {
    body: { resourceType: 'Goal', id: '17', theirs: 'kept', ...facts },
    versionTag: 'W/"2"',
    hash: 'hash of this look',
    isFresh: true,
    ...overrides,
  };
}

function only(keys: readonly string[], from: Facts | JsonObject): JsonObject {
  return Object.fromEntries(Object.entries(from).filter(([key]) => keys.includes(key)));
}

function without(keys: readonly string[], from: JsonObject): JsonObject {
  return Object.fromEntries(Object.entries(from).filter(([key]) => !keys.includes(key)));
}

// Source and partner edit at random; runs settle, plan and write as a lane does, against a server that holds one resource.
// Nothing of either side is lost in silence, and what is settled stays settled (lanes.md 13, 14).

import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import type { Json, JsonObject } from '../../../src/json.ts';
import { settle } from '../../../src/lanes/absorb/settle.ts';
import type { SettleContext } from '../../../src/lanes/absorb/settlement.ts';
import type { LaneResource } from '../../../src/lanes/lane-resource.ts';
import { sameFact, withFact } from '../../../src/lanes/merge.ts';
import { elementTopic, plan } from '../../../src/lanes/plan.ts';
import type { Facts, Owner } from '../../../src/mapping/mapping.ts';
import { aLink, aResource, aSlot, desiredOf, goalKey } from './lane-resources.ts';

const context: SettleContext = {
  timeZone: 'America/New_York',
  resolve: () => undefined,
  offeredOf: () => ({}),
  resultsOf: () => [],
  performerName: () => undefined,
  countReverts: () => 0,
  isAskedByTask: () => false,
  openQuestion: () => undefined,
  itemId: (text) => text,
};

const elements: Readonly<Record<string, Owner>> = { s: 'source', r: 'remote', l: 'latest', a: 'ask', d: 'ask' };
const keys = Object.keys(elements);
const topicOf = (element: string) => elementTopic({ key: goalKey }, element);
const modelSlot = aSlot(Object.fromEntries(keys.map((key) => [key, { owner: elements[key], derived: key === 'd' }])));

type Edit = { readonly by: 'source' | 'partner'; readonly key: string; readonly value: Json | undefined };

class World {
  ours: Facts = {};
  resource: LaneResource = aResource({ slot: modelSlot });
  server: JsonObject | undefined;
  readonly asked = new Set<string>();
  creates = 0;
  writes = 0;

  edit({ by, key, value }: Edit): void {
    if (by === 'source') this.ours = withFact(this.ours, key, value);
    else if (this.server !== undefined) this.server = withFact(this.server, key, value);
  }

  /** One run to its end. @returns what it offered and asked. */
  run(): { patches: JsonObject[]; questions: string[]; settlements: number } {
    const patches: JsonObject[] = [];
    const questions: string[] = [];
    let settlements = 0;
    this.#look(true);
    for (let steps = 0; steps < 20; steps += 1) {
      this.resource = {
        ...this.resource,
        record: { id: 'g1', ...this.ours },
        desired: desiredOf(this.ours),
        openTopics: new Set([...this.asked].map(topicOf)),
      };
      const settlement = settle(this.resource, context);
      if (settlement !== undefined) {
        settlements += 1;
        patches.push(...settlement.patches);
        for (const { detail } of settlement.decisions) questions.push(String(detail.element));
        for (const element of questions) this.asked.add(element);
        for (const topic of settlement.obsolete) this.asked.delete(topic.slice(topicOf('').length));
        const { sent, seen: seenNow, seenHash } = settlement;
        this.resource = {
          ...this.resource,
          link: this.resource.link && { ...this.resource.link, sent, seen: seenNow, seenHash },
        };
        continue;
      }
      const [operation] = plan([this.resource]).operations;
      if (operation === undefined) return { patches, questions, settlements };
      if (operation.kind === 'read') this.#look(true);
      else if ('body' in operation)
        this.#write(operation.body, operation.kind === 'update' ? operation.elements : keys);
    }
    throw new Error('the run does not end');
  }

  #write(body: JsonObject, written: readonly string[]): void {
    this.writes += 1;
    this.server = { ...body, id: '17' };
    const { link } = this.resource;
    if (link === undefined) this.creates += 1;
    const sent = written.reduce((all, key) => withFact(all, key, this.ours[key]), link?.sent ?? {});
    const held = modelSlot.facts(body);
    const seenNow = [...this.asked].reduce((all, key) => withFact(all, key, link?.seen?.[key]), held);
    this.resource = {
      ...this.resource,
      link: aLink({}, { sent, seen: seenNow, seenHash: JSON.stringify(this.server) }),
    };
    this.#look(false);
  }

  #look(isFresh: boolean): void {
    if (this.server === undefined) return;
    const observed = { body: this.server, hash: JSON.stringify(this.server), versionTag: undefined, isFresh };
    this.resource = { ...this.resource, observed };
  }
}

const edit: fc.Arbitrary<Edit> = fc.record({
  by: fc.constantFrom('source', 'partner'),
  key: fc.constantFrom(...keys),
  value: fc.constantFrom<(Json | undefined)[]>('1', '2', '3', undefined),
});
const story = fc.array(fc.array(edit, { maxLength: 5 }), { minLength: 1, maxLength: 6 });

function play(seed: number, law: (world: World, edits: readonly Edit[]) => void): void {
  fc.assert(
    fc.property(story, (days) => {
      const world = new World();
      world.run();
      for (const edits of days) law(world, edits);
    }),
    { seed, numRuns: 300 },
  );
}

describe('whatever source and partner do', () => {
  test('one resource is made, and a second run right after the first settles, asks and writes nothing', () => {
    play(37, (world, edits) => {
      for (const one of edits) world.edit(one);
      world.run();
      const { writes } = world;
      expect(world.run()).toEqual({ patches: [], questions: [], settlements: 0 });
      expect(world.writes).toBe(writes);
      expect(world.creates).toBe(1);
    });
  });

  test('a change of the partner is agreed with, offered, or asked about', () => {
    play(38, (world, edits) => {
      const before = world.server ?? {};
      const asked = new Set(world.asked);
      for (const one of edits) world.edit(one);
      const held = world.server ?? {};
      const { patches, questions } = world.run();
      for (const key of keys.filter((one) => !sameFact(before[one], held[one]) && !asked.has(one))) {
        const isAgreed = sameFact(held[key], world.ours[key]);
        const isOffered = patches.some((patch) => key in patch && sameFact(patch[key], held[key] ?? null));
        expect([key, isAgreed || isOffered || questions.includes(key)]).toEqual([key, true]);
      }
    });
  });

  test('a change of the source is on the server, gave way to an offered one, or is asked about', () => {
    play(39, (world, edits) => {
      const before = world.ours;
      for (const one of edits) world.edit(one);
      const held = world.server ?? {};
      world.run();
      for (const key of keys.filter((one) => !sameFact(before[one], world.ours[one]) && !world.asked.has(one))) {
        const isThere = sameFact(world.server?.[key], world.ours[key]);
        const gaveWay = elements[key] === 'remote' && sameFact(world.server?.[key], held[key]);
        expect([key, isThere || gaveWay]).toEqual([key, true]);
      }
    });
  });

  test('nothing is written over what a person is asked about, and nothing of the server’s own is lost', () => {
    play(40, (world, edits) => {
      for (const one of edits) world.edit(one);
      if (world.server !== undefined) world.server = { ...world.server, theirs: 'kept' };
      const held = world.server ?? {};
      world.run();
      for (const key of world.asked) expect([key, world.server?.[key]]).toEqual([key, held[key]]);
      expect(world.server?.theirs).toBe('kept');
    });
  });
});

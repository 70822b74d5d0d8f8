// The way back beside the way out, of the same cases: what a server holds, absorbed into the records, all elements of each resource.
// Three resources in ten say something else than what was sent.

import { isObject, type Json, type JsonObject } from '../../src/json.ts';
import type { CompiledSlot, MappingSet, SlotRef } from '../../src/mapping/mapping.ts';
import type { Source } from './cases.ts';
import type { Task } from './cpu.ts';

interface Observed {
  readonly slot: CompiledSlot;
  readonly keys: readonly string[];
  readonly record: JsonObject;
  readonly resource: JsonObject;
}

export const backwardNames = {
  out: 'out, without JSON',
  back: 'back, without JSON',
  backInJson: 'back, JSON in and out',
} as const;

/** One piece is one case. */
export function backwardTasks(mappings: MappingSet, source: Source, texts: readonly string[]): Task[] {
  const lines = texts.map((text) => source.opened(text));
  const targets = targetsOf(mappings, source, lines.flat());
  const resolve = (reference: string): SlotRef | undefined => targets.get(reference);
  const seen = texts.map((text) => observedOf(mappings, source, text));
  const { context } = source;
  const observedTexts = seen.map((all) => JSON.stringify(all.map(({ record, resource }) => [record, resource])));
  return [
    {
      name: backwardNames.out,
      run: (n) => lines[n % lines.length]?.map(({ type, record }) => mappings.mapping(type)?.assemble(record, context)),
    },
    {
      name: backwardNames.back,
      run: (n) =>
        seen[n % seen.length]?.map(({ slot, keys, resource, record }) =>
          slot.absorb(keys, resource, record, { resolve, linked: context.reference }),
        ),
    },
    {
      name: backwardNames.backInJson,
      run: (n) => {
        const held: [JsonObject, JsonObject][] = JSON.parse(observedTexts[n % seen.length] ?? '[]');
        const slots = seen[n % seen.length] ?? [];
        const found = held.map(([record, resource], at) =>
          slots[at]?.slot.absorb(slots[at].keys, resource, record, { resolve, linked: context.reference }),
        );
        return JSON.stringify(found);
      },
    },
  ];
}

/** What would come back of the first case: a bench that absorbs nothing would be fast. */
export function absorbed(
  mappings: MappingSet,
  source: Source,
  text: string,
): { patches: JsonObject[]; issues: number } {
  const targets = targetsOf(mappings, source, source.opened(text));
  const found = observedOf(mappings, source, text).map(({ slot, keys, resource, record }) =>
    slot.absorb(keys, resource, record, {
      resolve: (reference) => targets.get(reference),
      linked: source.context.reference,
    }),
  );
  return {
    patches: found.map(({ patch }) => patch),
    issues: found.reduce((sum, { issues }) => sum + issues.length, 0),
  };
}

function observedOf(mappings: MappingSet, source: Source, text: string): Observed[] {
  return source.opened(text).flatMap(({ type, record }) => {
    const mapping = mappings.mapping(type);
    return (mapping?.assemble(record, source.context) ?? []).flatMap(({ slot: name, resource }) => {
      const slot = mapping?.slot(name);
      const sent: Json = JSON.parse(JSON.stringify(changed(resource)));
      return slot && isObject(sent)
        ? [{ slot, record, keys: slot.elements.map(({ key }) => key), resource: sent }]
        : [];
    });
  });
}

/** What a hospital might have changed. */
function changed(resource: JsonObject): JsonObject {
  switch (resource.resourceType) {
    case 'CarePlan':
      return { ...resource, title: 'Enough food, every day' };
    case 'Patient':
      return { ...resource, maritalStatus: { text: 'married', coding: [married] } };
    case 'ServiceRequest':
      return { ...resource, priority: 'urgent' };
    default:
      return resource;
  }
}

const married = { system: 'http://terminology.hl7.org/CodeSystem/v3-MaritalStatus', code: 'M' };

function targetsOf(
  mappings: MappingSet,
  source: Source,
  lines: readonly { type: SlotRef['type']; record: JsonObject }[],
): Map<string, SlotRef> {
  const targets = new Map<string, SlotRef>();
  for (const { type, record } of [...lines, ...source.directory]) {
    for (const { name } of mappings.mapping(type)?.slots ?? []) {
      const target = { type, id: String(record.id), slot: name };
      const reference = source.context.reference(target);
      if (reference !== undefined) targets.set(reference, target);
    }
  }
  return targets;
}

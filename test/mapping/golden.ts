// What golden files hold of a fixture: the resources that it becomes, what a record begun by the other side would be, and how each resource retires; and of
// all mappings, who decides about which element.

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { isObject, type Json, type JsonObject } from '../../src/json.ts';
import {
  type ConceptMap,
  codeWords,
  codingsOf,
  compileConceptMap,
  targetOf,
  textOf,
} from '../../src/mapping/concept-map.ts';
import { sameJson } from '../../src/mapping/lens.ts';
import type { Desired, Mapping, MappingFile, MappingSet } from '../../src/mapping/mapping.ts';
import { Problems, readNodes } from '../../src/mapping/positions.ts';
import { compileSystems, noSystems } from '../../src/mapping/systems.ts';
import type { RecordType } from '../../src/records/records.ts';
import { context, type Edit, type Fixture, fixtureFolder, resolve, type Variant } from './fixtures.ts';
import { withChanges } from './with-changes.ts';

/** Without the lines of rules, which move with every comment, and without facts, which follow from the resource. */
export function forward(mapping: Mapping, { record }: Fixture): Json {
  return mapping.project(record, context).map(shown);
}

function shown({ slot, resource, issues, references }: Desired): JsonObject {
  const unlinked = references
    .filter(({ reference }) => reference === undefined)
    .map(({ element, target, required }) => ({
      element,
      target: `${target.type}/${target.id}#${target.slot}`,
      required,
    }));
  return {
    slot,
    resource,
    issues: issues.map(({ at, ...issue }) => ({ ...issue, at: withoutLine(at) })),
    ...(unlinked.length > 0 && { unlinked }),
  };
}

/** The same resources on the way back to a record that is not there yet, and what each says once it is taken back. */
export function backward(mapping: Mapping, { record }: Fixture): Json {
  return mapping.project(record, context).map(({ slot: name, resource }) => {
    const slot = mapping.slot(name);
    const blank = blankFor(name);
    const { patch, issues } = slot.absorb(
      slot.elements.map(({ key }) => key),
      resource,
      blank,
      { resolve },
    );
    const retired = slot.retire(resource);
    const ended = slot.retire(resource, 'ended');
    return {
      slot: name,
      patch,
      issues: issues.map(({ at, ...issue }) => ({ ...issue, at: withoutLine(at) })),
      retired: retired === undefined ? null : changed(resource, retired),
      ...(ended !== undefined && !sameJson(ended, retired) && { ended: changed(resource, ended) }),
    };
  });
}

/** A slot that repeats needs the item that it stands for. */
function blankFor(slot: string): JsonObject {
  const [, item] = /\[(.+)\]$/.exec(slot) ?? [];
  return item === undefined ? {} : { [listNamed(slot)]: [{ id: item }] };
}

function listNamed(slot: string): string {
  return repeated.get(slot.replace(/\[.*$/, '')) ?? 'items';
}

const repeated = new Map<string, string>();

/** Tells which list of the record a slot repeats over, from the mapping files. */
export function knowLists(files: readonly { readonly text: string }[]): void {
  for (const { text } of files) {
    for (const [, slot = '', list = ''] of text.matchAll(/^ {2}(\w+):\n(?: {4}.*\n)*? {4}each: (\w+)/gm)) {
      repeated.set(slot, list);
    }
  }
}

/** What each variant becomes, both ways, and what it would make of the fixture that it varies: only what differs from that fixture. */
export function varied(mapping: Mapping, variants: readonly Variant[]): JsonObject {
  return Object.fromEntries(
    variants.map((variant) => [
      variant.name,
      {
        forward: difference(forward(mapping, variant.of), forward(mapping, variant)),
        backward: difference(backward(mapping, variant.of), backward(mapping, variant)),
        absorbed: absorbed(mapping, variant),
      },
    ]),
  );
}

/**
 * What the other side's edits come to: what each changes in the record, and what a write of all that is ours makes of the edited resource, as far
 * as that differs from what the other side has.
 */
export function edited(mapping: Mapping, edits: readonly Edit[]): JsonObject {
  return Object.fromEntries(
    edits.map(({ name, of, slot: slotName, change }) => {
      const ours = mapping.project(of.record, context).find(({ slot }) => slot === slotName);
      if (!ours) throw new Error(`${of.type}/${of.name} makes no ${slotName}.`);
      const slot = mapping.slot(slotName);
      const keys = slot.elements.map(({ key }) => key);
      const theirs = withChanges(ours.resource, change);
      const facts = [slot.facts(ours.resource), slot.facts(theirs)] as const;
      const differing = keys.filter((key) => !sameJson(facts[0][key], facts[1][key]));
      const { patch, issues } = slot.absorb(differing, theirs, of.record, { resolve });
      const told = issues.map(({ at, ...issue }) => ({ ...issue, at: withoutLine(at) }));
      return [
        name,
        { differing, patch, issues: told, written: changed(theirs, slot.copy(keys, ours.resource, theirs)) },
      ];
    }),
  );
}

/** What changes in the fixture when the other side makes its resources those of the variant. */
function absorbed(mapping: Mapping, { of, record }: Variant): JsonObject {
  const there = new Set(mapping.project(of.record, context).map(({ slot }) => slot));
  return Object.fromEntries(
    mapping
      .project(record, context)
      .filter(({ slot }) => there.has(slot))
      .flatMap(({ slot: name, resource }) => {
        const slot = mapping.slot(name);
        const keys = slot.elements.map(({ key }) => key);
        const { patch, issues } = slot.absorb(keys, resource, of.record, { resolve });
        const told = issues.map(({ at, ...issue }) => ({ ...issue, at: withoutLine(at) }));
        return Object.keys(patch).length + told.length === 0 ? [] : [[name, { patch, issues: told }] as const];
      }),
  );
}

function difference(before: Json, after: Json): JsonObject {
  const [old, made] = [bySlot(before), bySlot(after)];
  const slots = changed(old, made);
  return Object.fromEntries(
    Object.entries(slots).map(([slot, entry]) => {
      const was = old[slot];
      return [slot, isObject(was) && isObject(entry) ? parts(was, entry) : entry];
    }),
  );
}

function parts(before: JsonObject, after: JsonObject): JsonObject {
  return Object.fromEntries(
    Object.entries(changed(before, after)).map(([name, part]) => {
      const was = before[name];
      return [name, isObject(was) && isObject(part) ? changed(was, part) : part];
    }),
  );
}

function bySlot(entries: Json): JsonObject {
  return Object.fromEntries(
    (Array.isArray(entries) ? entries.filter(isObject) : []).map(({ slot, ...entry }) => [String(slot), entry]),
  );
}

function changed(before: JsonObject, after: JsonObject): JsonObject {
  const names = new Set([...Object.keys(before), ...Object.keys(after)]);
  return Object.fromEntries(
    [...names].flatMap((name) =>
      JSON.stringify(before[name]) === JSON.stringify(after[name]) ? [] : [[name, after[name] ?? null]],
    ),
  );
}

/** What a resource refers to, and whether it waits until that is there, over all that these records make: `note addendum relatesTo[note]` -> target. */
export function references(mapping: Mapping, records: readonly Fixture[]): JsonObject {
  const blank = { ...context, reference: () => undefined };
  const told = new Map<string, Set<string>>();
  for (const { type, record } of records) {
    for (const { slot, references: all } of mapping.project(record, blank)) {
      for (const { element, target, required } of all) {
        const [from, to] = [slot, target.slot].map((name) => name.replace(/\[.*/, ''));
        const name = `${type} ${from} ${element} -> ${target.type}#${to}`;
        told.set(name, (told.get(name) ?? new Set()).add(required ? 'waits' : 'later'));
      }
    }
  }
  return Object.fromEntries(
    [...told.keys()].sort().map((name) => [name, [...(told.get(name) ?? [])].sort().join(', ')]),
  );
}

/** `goal goal startDate` -> who decides, for a record of ours and for one begun by the other side, and by which rules else it goes. */
export function elements({ mappings }: Pick<MappingSet, 'mappings'>): JsonObject {
  return Object.fromEntries(
    mappings.flatMap(({ recordType, slots }) =>
      slots.flatMap(({ name, elements: all }) =>
        all.map(({ key, owner, moves, goesWith, derived }) => {
          const owners = new Set([owner({}), owner({ direction: 'incoming' })]);
          const rules: JsonObject = {
            ...(moves !== undefined && { moves }),
            ...(goesWith !== undefined && { goesWith }),
          };
          return [
            `${recordType} ${name} ${key}`,
            { owner: [...owners].join(', incoming '), derived, ...rules },
          ] as const;
        }),
      ),
    ),
  );
}

export function goldenFile({ type, name }: Fixture, way: 'fhir' | 'back'): string {
  return join(fixtureFolder, type, `${name}.${way}.json`);
}

export function variantsFile(type: RecordType): string {
  return join(fixtureFolder, type, 'variants.golden.json');
}

export function editsFile(type: RecordType): string {
  return join(fixtureFolder, type, 'edits.golden.json');
}

export const referencesFile = join(fixtureFolder, 'references.json');

export const elementsFile = join(fixtureFolder, 'elements.json');

export function readGolden(file: string): Json {
  return JSON.parse(readFileSync(file, 'utf8'));
}

function withoutLine(at: string): string {
  return at.replace(/:\d+$/, '');
}

/** What every ConceptMap says, both ways: `map code` -> codings and words; `map <- system|code` -> code; of maps with dates for each day on which something changes. */
export function conceptMaps(files: readonly MappingFile[]): JsonObject {
  const problems = new Problems();
  const roots = files.flatMap((file) => readNodes(file, problems) ?? []);
  const systemsRoot = roots.find(({ entries }) => !entries.has('record') && !entries.has('conceptMap'));
  const systems = systemsRoot === undefined ? noSystems : compileSystems(systemsRoot, problems);
  const maps = roots
    .filter(({ entries }) => entries.has('conceptMap'))
    .flatMap((root) => compileConceptMap(root, systems, problems) ?? []);
  return Object.fromEntries(
    maps.flatMap((map) =>
      map.editions === undefined
        ? tableOf(map.name, map)
        : map.editions.flatMap((edition) => tableOf(`${map.name} (${edition.from || 'before'})`, edition.map)),
    ),
  );
}

function tableOf(name: string, map: ConceptMap): (readonly [string, string])[] {
  return [
    ...[...map.codes].map((code) => [`${name} ${code}`, said(map, code)] as const),
    [`${name} (any other)`, said(map, 'any-other')] as const,
    ...[...map.back].map(([coding, code]) => [`${name} <- ${coding}`, code] as const),
  ];
}

function said(map: ConceptMap, code: string): string {
  const target = targetOf(map, code);
  if (target === undefined) return 'none';
  const codings = codingsOf(map, target, code, 'urn:ours').map(({ system, code: coded, display }) =>
    [system, coded, display].filter((part) => part !== undefined).join('|'),
  );
  return `${codings.join(' + ')} "${textOf(map, code) ?? codeWords(map, code)}"`;
}

export const conceptMapsFile = join(fixtureFolder, 'concept-maps.json');

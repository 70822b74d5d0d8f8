// What golden files hold of a fixture: the resources that it becomes, what a record begun by the other side would be, and how each resource retires; and of
// all mappings, who decides about which element.

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Json, JsonObject } from '../../src/json.ts';
import {
  type ConceptMap,
  codingsOf,
  compileConceptMap,
  targetOf,
  textOf,
  wordsOf,
} from '../../src/mapping/concept-map.ts';
import type { Desired, Mapping, MappingFile, MappingSet } from '../../src/mapping/mapping.ts';
import { Problems, readNodes } from '../../src/mapping/positions.ts';
import { compileSystems, noSystems } from '../../src/mapping/systems.ts';
import { context, type Fixture, fixtureFolder, resolve } from './fixtures.ts';

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
      resolve,
    );
    const retired = slot.retire(resource);
    return {
      slot: name,
      patch,
      issues: issues.map(({ at, ...issue }) => ({ ...issue, at: withoutLine(at) })),
      retired: retired === undefined ? null : changed(resource, retired),
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

function changed(before: JsonObject, after: JsonObject): JsonObject {
  const names = new Set([...Object.keys(before), ...Object.keys(after)]);
  return Object.fromEntries(
    [...names].flatMap((name) =>
      JSON.stringify(before[name]) === JSON.stringify(after[name]) ? [] : [[name, after[name] ?? null]],
    ),
  );
}

/** `goal goal startDate` -> who decides, for a record of ours and for one begun by the other side, and by which rules else it goes. */
export function elements({ mappings }: MappingSet): JsonObject {
  return Object.fromEntries(
    mappings.flatMap(({ recordType, slots }) =>
      slots.flatMap(({ name, was, elements: all }) =>
        all.map(({ key, owner, moves, goesWith, derived }) => {
          const owners = new Set([owner({}), owner({ direction: 'incoming' })]);
          const rules: JsonObject = {
            ...(moves !== undefined && { moves }),
            ...(goesWith !== undefined && { goesWith }),
          };
          const named: JsonObject = was === undefined ? {} : { was };
          return [
            `${recordType} ${name} ${key}`,
            { owner: [...owners].join(', incoming '), derived, ...rules, ...named },
          ] as const;
        }),
      ),
    ),
  );
}

export function goldenFile({ type, name }: Fixture, way: 'fhir' | 'back'): string {
  return join(fixtureFolder, type, `${name}.${way}.json`);
}

export const elementsFile = join(fixtureFolder, 'elements.json');

export function readGolden(file: string): Json {
  return JSON.parse(readFileSync(file, 'utf8'));
}

function withoutLine(at: string): string {
  return at.replace(/:\d+$/, '');
}

/** What every ConceptMap says, both ways: `map code` -> codings and words; `map <- system|code` -> code. */
export function conceptMaps(files: readonly MappingFile[]): JsonObject {
  const problems = new Problems();
  const roots = files.flatMap((file) => readNodes(file, problems) ?? []);
  const systemsRoot = roots.find(({ entries }) => !entries.has('record') && !entries.has('conceptMap'));
  const systems = systemsRoot === undefined ? noSystems : compileSystems(systemsRoot, problems);
  const maps = roots
    .filter(({ entries }) => entries.has('conceptMap'))
    .flatMap((root) => compileConceptMap(root, systems, problems) ?? []);
  return Object.fromEntries(
    maps.flatMap((map) => [
      ...[...map.codes].map((code) => [`${map.name} ${code}`, said(map, code)] as const),
      [`${map.name} (any other)`, said(map, 'any-other')] as const,
      ...[...map.back].map(([coding, code]) => [`${map.name} <- ${coding}`, code] as const),
    ]),
  );
}

function said(map: ConceptMap, code: string): string {
  const target = targetOf(map, code);
  if (target === undefined) return 'none';
  const codings = codingsOf(map, target, code, 'urn:ours').map(({ system, code: coded, display }) =>
    [system, coded, display].filter((part) => part !== undefined).join('|'),
  );
  return `${codings.join(' + ')} "${textOf(map, code) ?? wordsOf(map, code)}"`;
}

export const conceptMapsFile = join(fixtureFolder, 'concept-maps.json');

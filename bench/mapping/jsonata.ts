// The same mapping in JSONata, as somebody who knows the language writes it: one expression, compiled once, with the ConceptMaps and the
// lookups of other records and links bound to it.

import { readFile } from 'node:fs/promises';
import jsonata from 'jsonata';
import type { ProjectContext, SlotRef } from '../../src/mapping/mapping.ts';
import type { Source } from './cases.ts';
import type { Contender } from './contenders.ts';
import type { Concept, Tables } from './tables.ts';

/** Maps lines of {type, record}, which are one case or one record. */
export type JsonataMapper = (lines: unknown) => Promise<readonly unknown[]>;

export async function jsonataMapper(tables: Tables, context: ProjectContext): Promise<JsonataMapper> {
  const expression = jsonata(await readFile(new URL('case.jsonata', import.meta.url), 'utf8'));
  const bindings = {
    source: context.source,
    identifierSystem: context.identifierSystem,
    identifierSystems: context.identifierSystems,
    maps: Object.fromEntries(tables.names.map((name) => [name, conceptsOf(tables, name)])),
    link: (type: SlotRef['type'], slot: string, id: string) => context.reference({ type, id, slot }),
    other: (type: SlotRef['type'], id: string) => context.record(type, id),
  };
  // As an object: where the input is a list, JSONata walks it again for each path in a function.
  return (lines) => expression.evaluate({ lines }, bindings);
}

function conceptsOf(tables: Tables, name: string): Record<string, Concept | undefined> {
  return Object.fromEntries(tables.table(name).concepts);
}

export async function inJsonata(tables: Tables, source: Source): Promise<Contender> {
  const map = await jsonataMapper(tables, source.context);
  return {
    name: 'jsonata',
    says: 'the same resources',
    lacks: 'says the same resources, but reports no issues: the language returns values, and nothing beside them.',
    map: async (text) => JSON.stringify((await map(source.opened(text))).map((resource) => ({ resource }))),
  };
}

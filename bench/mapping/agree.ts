// Before anything is measured: the mapper by hand says the same as Casebridge, of every case and of every golden fixture and variant of its
// types, and so do the peers of every case. A contender that does less would win for the wrong reason.

import { deepStrictEqual } from 'node:assert';
import { sample } from 'fast-check';
import { isObject, type Json } from '../../src/json.ts';
import type { MappingSet, ProjectContext, SlotRef } from '../../src/mapping/mapping.ts';
import { context as fixtureContext, fixtures, variants } from '../../test/mapping/fixtures.ts';
import { arbitraryRecord } from '../../test/records/arbitrary.ts';
import type { Line } from '../caseload.ts';
import { handTables } from './by-hand/hand-tables.ts';
import { byHand } from './by-hand/mapper.ts';
import { mappingFolder } from './cases.ts';
import { type Contender, handTypes, isHandLine } from './contenders.ts';
import { jsonataMapper } from './jsonata.ts';
import { readTables } from './tables.ts';

interface Said {
  readonly resource: Json;
  /** Code and pointer. */
  readonly issues: readonly string[];
}

/** @returns the number of fixtures and variants compared. Throws for the first difference. */
export async function checkFixtures(mappings: MappingSet): Promise<number> {
  const tables = await readTables(mappingFolder, fixtureContext.identifierSystem);
  const jsonata = await jsonataMapper(tables, fixtureContext);
  const compared = [...fixtures, ...variants].filter(isHandLine);
  for (const line of compared) {
    const expected = engineSays(mappings, line, fixtureContext);
    const made = byHand(line, fixtureContext, handTables(tables));
    const found = { said: plain(made), missing: made.map(({ missing }) => missing.map(linkOf).sort()) };
    const which = `${line.type} ${line.name}`;
    expectSame(found, expected, `The mapper by hand of ${which}`);
    const resources = plain((await jsonata([line])).map((resource) => ({ resource })));
    expectSame(resourcesOf(resources), resourcesOf(expected.said), `jsonata of ${which}`);
  }
  return compared.length;
}

/** Arbitrary records, the same at each run: what no fixture thinks of. @returns their number */
export async function checkGenerated(mappings: MappingSet, perType = 60): Promise<number> {
  const tables = handTables(await readTables(mappingFolder, fixtureContext.identifierSystem));
  let compared = 0;
  for (const type of handTypes) {
    for (const record of sample(arbitraryRecord(type), { numRuns: perType, seed: 7 })) {
      const line = { type, record };
      if (!isHandLine(line)) continue;
      expectSame(
        plain(byHand(line, fixtureContext, tables)),
        engineSays(mappings, line, fixtureContext).said,
        `The mapper by hand of a generated ${type}`,
      );
      compared += 1;
    }
  }
  return compared;
}

function engineSays(mappings: MappingSet, line: Line, context: ProjectContext): { said: Said[]; missing: string[][] } {
  const made = mappings.mapping(line.type)?.assemble(line.record, context) ?? [];
  return {
    said: plain(made),
    missing: made.map(({ references }) =>
      references
        .filter(({ reference }) => reference === undefined)
        .map(({ target }) => linkOf(target))
        .sort(),
    ),
  };
}

/** Throws unless `contender` says of each text what it promises to say as `measure` does. */
export async function checkCases(contender: Contender, measure: Contender, texts: readonly string[]): Promise<void> {
  for (const text of texts) {
    const found = saidOf(await contender.map(text));
    const expected = saidOf(await measure.map(text));
    expectSame(promised(found, contender), promised(expected, contender), contender.name);
  }
}

function promised(said: readonly Said[], { says }: Contender): Json {
  switch (says) {
    case 'resources and issues':
      return said.map(({ resource, issues }) => ({ resource, issues: [...issues] }));
    case 'the same resources':
      return resourcesOf(said);
    case 'the same types':
      return resourcesOf(said).map((resource) => (isObject(resource) ? (resource.resourceType ?? null) : null));
  }
}

function saidOf(text: string): Said[] {
  return plain(JSON.parse(text));
}

function resourcesOf(said: readonly Said[]): Json[] {
  return said.map(({ resource }) => resource);
}

/** As JSON, with codes and pointers of issues only: their words and rules are the mapping's own. */
function plain(made: readonly { resource: unknown; issues?: readonly { code: string; pointer?: string }[] }[]): Said[] {
  const said = made.map(({ resource, issues = [] }) => ({
    resource,
    issues: issues.map(({ code, pointer }) => `${code} ${pointer ?? ''}`).sort(),
  }));
  return JSON.parse(JSON.stringify(said));
}

function linkOf({ type, id, slot }: SlotRef): string {
  return `${type}/${id}#${slot}`;
}

function expectSame(found: unknown, expected: unknown, who: string): void {
  try {
    deepStrictEqual(found, expected);
  } catch (cause) {
    throw new Error(`${who} does not say what Casebridge says`, { cause });
  }
}

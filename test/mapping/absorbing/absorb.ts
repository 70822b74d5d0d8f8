// Takes FHIR from anywhere back into records, beside an empty record and beside samples of ours, and counts what is understood.
//   npm run absorb -- FOLDER|PACKAGE.tgz...

import { readExamples } from '../../../scripts/examples/read.ts';
import { toolOptions } from '../../../scripts/tool-options.ts';
import { isObject, type JsonObject } from '../../../src/json.ts';
import type { RecordType } from '../../../src/records/records.ts';
import { fixtures, mappingOf, mappings } from '../fixtures.ts';
import { linkedSource, targetOf } from '../linked-source.ts';
import { audit } from './audit.ts';

const { positionals } = toolOptions('absorb', {}, 'FOLDER|PACKAGE.tgz...');
if (positionals.length === 0) {
  console.error('Usage: npm run absorb -- FOLDER|PACKAGE.tgz...');
  process.exit(2);
}

const blank: JsonObject = {};

/** Every slot of a record that is not there yet, and of those of ours that fill it. */
const places = [
  ...mappings.mappings.flatMap(({ recordType: type, slots }) =>
    slots.map(({ name: slot, resourceType }) => ({ type, slot, resourceType, record: blank })),
  ),
  ...fixtures.flatMap(({ type, record }) =>
    mappingOf(type)
      .project(record, linkedSource)
      .map(({ slot, resourceType }) => ({ type, slot, resourceType, record })),
  ),
].filter(({ type, slot, record }, at, all) => !isRepeated(type, slot) && isAmongFirst(type, slot, record, at, all));

/** Two samples of each slot, and of repeating ones an item of each: more show the same. */
function isAmongFirst(
  type: RecordType,
  slot: string,
  record: JsonObject,
  at: number,
  all: readonly { type: RecordType; slot: string; record: JsonObject }[],
): boolean {
  if (record.id === undefined) return true;
  const template = slot.replace(/\[.*/, '');
  return (
    all
      .slice(0, at)
      .filter((one) => one.type === type && one.record.id !== undefined && one.slot.replace(/\[.*/, '') === template)
      .length < 2
  );
}

/** A slot that repeats stands for an item of a record; a record that is not there yet has none. */
function isRepeated(type: RecordType, slot: string): boolean {
  return fixtures.some(
    (one) =>
      one.type === type &&
      mappingOf(type)
        .project(one.record, linkedSource)
        .some(({ slot: made }) => made.startsWith(`${slot}[`)),
  );
}

const counts = {
  resources: 0,
  ofOtherTypes: 0,
  laid: 0,
  elements: 0,
  absorbed: 0,
  depends: 0,
  unjudged: 0,
  throws: 0,
  faults: 0,
};
const notUnderstood = new Map<string, number>();
const told = new Map<string, { count: number; first: string }>();
for (const { name, resource } of positionals.flatMap(readExamples).flatMap(unbundled)) {
  const found = places.filter(({ resourceType }) => resourceType === resource.resourceType);
  counts.resources += 1;
  if (found.length === 0) counts.ofOtherTypes += 1;
  for (const { type, slot, record } of found) {
    counts.laid += 1;
    try {
      const result = audit({ type, slot, record, resource, resolve: targetOf });
      counts.depends += result.depends;
      counts.unjudged += result.unjudged;
      counts.elements += result.elements;
      counts.absorbed += result.absorbed;
      counts.faults += result.faults.length;
      for (const [why, count] of result.notUnderstood) notUnderstood.set(why, (notUnderstood.get(why) ?? 0) + count);
      for (const fault of result.faults)
        note(
          `${type} ${slot} ${fault.replace(/: .*/, '')}`.replace(/\[[^\]]*\] /, ' '),
          `${name} ${String(record.id)}: ${fault}`,
        );
    } catch (error) {
      counts.throws += 1;
      note(`${type} ${slot} throws`, `${name}: ${error instanceof Error ? error.stack : String(error)}`);
    }
  }
}
for (const [kind, { count, first }] of told) console.log(`${count} x ${kind}\n     ${first}`);
console.log(`absorbed ${JSON.stringify(counts)}`);
console.log(`not understood ${JSON.stringify(Object.fromEntries(notUnderstood))}`);
process.exitCode = counts.throws + counts.faults > 0 ? 1 : 0;

function note(kind: string, example: string): void {
  const known = told.get(kind);
  told.set(kind, { count: (known?.count ?? 0) + 1, first: known?.first ?? example });
}

function unbundled({
  name,
  resource,
}: {
  name: string;
  resource: JsonObject;
}): { name: string; resource: JsonObject }[] {
  const entries = resource.resourceType === 'Bundle' && Array.isArray(resource.entry) ? resource.entry : undefined;
  if (entries === undefined) return [{ name, resource }];
  return entries.flatMap((entry, index) =>
    isObject(entry) && isObject(entry.resource) ? [{ name: `${name}#${index}`, resource: entry.resource }] : [],
  );
}

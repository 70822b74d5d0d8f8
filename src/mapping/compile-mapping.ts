// One mapping file compiled: its slots, and the promise that no record field is forgotten. A field is used by a rule or named under
// `unused` with the reason; anything else stops the load.

import { CasebridgeError } from '../errors.ts';
import { didYouMean } from '../nearest.ts';
import type { Field } from '../records/records.ts';
import { isPlainText, rule } from './build.ts';
import { type CompiledDefinition, compileSlot, type MappingBuild } from './compile-slot.ts';
import { derivations } from './derive.ts';
import type { FieldReasons } from './lineage.ts';
import { areKnown, mappingWords, ofRightKinds } from './notation.ts';
import type { MapNode, Position } from './positions.ts';
import { assembleRecord, type Derivation, explainRecord, type Projected, projectRecord } from './project.ts';
import type { Slot } from './slot.ts';
import type { CompiledSlot, Mapping, MappingIssue } from './types.ts';

/** Fields that every record has and that no resource says: identity, versions, and what the gateway itself acts on. */
const envelope = ['id', 'createdAt', 'createdBy', 'updatedAt', 'updatedBy', 'deleted', 'missing', 'origin'];

export interface Need {
  readonly from: string;
  readonly target: string;
  readonly at: Position;
}

export function compileMapping(whole: MapNode, shared: MappingBuild): { mapping: Mapping; needs: Need[] } {
  const { problems, recordType } = shared;
  areKnown('A mapping', whole.entries.values(), mappingWords, problems);
  const root = ofRightKinds(whole, mappingWords, problems);
  const resources = root.entries.get('resources')?.value;
  const derived = root.entries.get('derive')?.value;
  const compiled: CompiledDefinition[] = [];
  for (const { name, at, value } of resources?.kind === 'map' ? resources.entries.values() : []) {
    if (!/^[a-z][A-Za-z0-9]*$/.test(name)) {
      problems.error(
        at,
        `A slot name begins with a small letter and holds letters and digits only; "${name}" does not.`,
      );
    }
    const definition =
      value.kind === 'map' ? compileSlot(name, value, shared, derived) : problems.error(at, 'A slot is a map.');
    if (compiled.some(({ slot }) => slot.name === definition?.slot.name)) {
      problems.error(at, `"${definition?.slot.name}" is the first name of another slot, too: leave one of them out.`);
    } else if (definition) {
      compiled.push(definition);
    }
  }
  const unsent = root.entries.get('unsent')?.value;
  if (unsent !== undefined && (!isPlainText(unsent) || resources !== undefined)) {
    problems.error(unsent.at, '"unsent" says in words why no resource is made, and then there are no "resources".');
  } else if (compiled.length === 0 && unsent === undefined) {
    problems.error(root.at, 'A mapping needs "resources" with at least one slot, or "unsent" with the reason.');
  }
  checkUnused(root, shared);
  const derive = readDerive(root, shared);
  const slots = compiled.map(({ slot }) => slot);
  const projected: Projected = { type: recordType, slots, derive };
  const reasons: FieldReasons = { readBy: readersOf(slots), unused: reasonsOf(root), envelope };
  const byName = new Map(slots.map((slot) => [slot.name, slot]));
  return {
    needs: compiled.flatMap(({ slot, needs }) =>
      needs.map((need) => ({ ...need, from: `${recordType}#${slot.name}` })),
    ),
    mapping: {
      recordType,
      slots,
      ...(isPlainText(unsent) && { unsent: { why: unsent.value, at: rule(unsent.at) } }),
      assemble: (record, context) => assembleRecord(projected, record, context),
      explain: (record, context) => explainRecord(projected, reasons, record, context),
      project: (record, context) => projectRecord(projected, record, context),
      slot: (name) => {
        const whole = byName.get(name);
        if (whole) {
          return whole;
        }
        const [, template = name, item] = /^([^[]+)\[(.+)\]$/.exec(name) ?? [];
        const slot = byName.get(template);
        if (!slot) {
          throw new CasebridgeError('mapping-slot-unknown', { type: recordType, slot: template });
        }
        return item === undefined ? slot : withoutDerived(slot.forItem(item), derive);
      },
    },
  };
}

/** An item that was worked out from the record is no item of it: a change of it is told, and changes nothing. */
function withoutDerived(slot: CompiledSlot, derive: Derivation | undefined): CompiledSlot {
  if (derive === undefined) return slot;
  return {
    ...slot,
    absorb: (keys, observed, record, context) => {
      const own = slot.absorb(keys, observed, record, context);
      const { record: derived } = derive.derive(record);
      if (derived === record || Object.keys(own.patch).length + own.issues.length > 0) return own;
      const changed = keys.filter((key) => {
        const { patch, issues } = slot.absorb([key], observed, derived, context);
        return Object.keys(patch).length + issues.length > 0;
      });
      const issues = changed.map(
        (element): MappingIssue => ({
          code: 'left-out',
          element,
          message: 'What the other side says here was worked out from the record, which stands.',
          at: derive.at,
        }),
      );
      return { patch: {}, issues };
    },
  };
}

/** `derive: name`: what is worked out from the record before it is mapped. */
function readDerive(root: MapNode, { problems }: MappingBuild): Derivation | undefined {
  const node = root.entries.get('derive')?.value;
  const name = isPlainText(node) ? node.value : '';
  const found = Object.hasOwn(derivations, name) ? derivations[name] : undefined;
  if (node === undefined || found !== undefined) {
    return node && found && { derive: found.derive, at: rule(node.at) };
  }
  return problems.error(
    node.at,
    `There is nothing to derive called "${name}".${didYouMean(name, Object.keys(derivations))}`,
  );
}

function readersOf(slots: readonly Slot[]): Map<string, string[]> {
  const readers = new Map<string, string[]>();
  for (const { at, reads } of slots.flatMap(({ definition }) => definition.rules)) {
    for (const path of reads) {
      readers.set(path, [...(readers.get(path) ?? []), at]);
    }
  }
  return readers;
}

function reasonsOf(root: MapNode): Map<string, { why: string; rule: string }> {
  const node = root.entries.get('unused')?.value;
  const entries = node?.kind === 'map' ? [...node.entries.values()] : [];
  return new Map(
    entries.flatMap(({ name, at, value }) =>
      isPlainText(value) ? [[name, { why: value.value, rule: rule(at) }]] : [],
    ),
  );
}

function checkUnused(root: MapNode, { problems, recordType, schemas, declared, uses }: MappingBuild): void {
  const tree = schemas.tree(recordType);
  const node = root.entries.get('unused')?.value;
  const unused = new Set(envelope);
  for (const { name, at, value } of node?.kind === 'map' ? node.entries.values() : []) {
    unused.add(name);
    const paths = allPaths(tree);
    if (!paths.includes(name)) {
      problems.error(at, `The ${recordType} record has no field "${name}".${didYouMean(name, paths)}`);
    } else if (!isPlainText(value)) {
      problems.error(at, `Say in words why "${name}" is not mapped.`);
    } else if ([...uses].some((used) => used === name || used.startsWith(`${name}.`))) {
      problems.error(at, `"${name}" is said to be unused, but a rule reads it.`);
    }
  }
  for (const path of leafPaths(tree)) {
    const parts = path.split('.');
    const covered = parts.some((_, index) => unused.has(parts.slice(0, index + 1).join('.')));
    if (!covered && !uses.has(path) && !parts.includes('id')) {
      problems.error(
        declared.get(`${recordType}.${path}`) ?? node?.at ?? root.at,
        `Unmapped record field "${path}": use it in a rule, or name it under "unused" with the reason.`,
      );
    }
  }
}

function leafPaths(field: Field, path = ''): string[] {
  return field.fields ? [...field.fields].flatMap(([name, below]) => leafPaths(below, join(path, name))) : [path];
}

function allPaths(field: Field, path = ''): string[] {
  const below = [...(field.fields ?? [])].flatMap(([name, inner]) => allPaths(inner, join(path, name)));
  return path === '' ? below : [path, ...below];
}

function join(path: string, name: string): string {
  return path === '' ? name : `${path}.${name}`;
}

// `fields:` of an overlay: the fields that an agency adds to a record, each with its kind.

import { didYouMean } from '../../nearest.ts';
import {
  type CustomField,
  customKinds,
  customName,
  type Field,
  fieldTree,
  isCustomKind,
  isRecordType,
  type RecordType,
  recordTypes,
} from '../../records/records.ts';
import { isPlainText } from '../build.ts';
import type { MapEntry, MapNode, Node, Position, Problems } from '../positions.ts';

/** A field, the path that rules read it by, and where it is declared. */
export interface Declared {
  readonly field: CustomField;
  readonly path: string;
  readonly at: Position;
}

const keys = ['kind', 'list', 'codes', 'min', 'max', 'of', 'about'];
const namePattern = /^[a-z][A-Za-z0-9]{0,63}$/;
const codePattern = /^[a-z0-9]+(-[a-z0-9]+)*$/;

/** The fields of one overlay file; what is wrong with one is told and leaves it out. */
export function readFields(root: MapNode, type: RecordType, problems: Problems): Declared[] {
  const fields = root.entries.get('fields')?.value;
  if (fields === undefined) {
    return [];
  }
  if (fields.kind !== 'map') {
    return problems.error(fields.at, '"fields" is a map from names to what each field is.') ?? [];
  }
  return [...fields.entries.values()].flatMap((entry) => {
    const before = problems.errors.length;
    const place = placeOf(entry, type, problems);
    const what = place && readField(entry, problems);
    return place && what && problems.errors.length === before
      ? [{ field: { ...place, ...what }, path: pathOf(entry.name), at: entry.at }]
      : [];
  });
}

/** The paths that a file's fields have, those included of which something is wrong. */
export function pathsOf(root: MapNode): string[] {
  const fields = root.entries.get('fields')?.value;
  return [...(fields?.kind === 'map' ? fields.entries.keys() : [])].map(pathOf);
}

function pathOf(text: string): string {
  const parts = text.split('.');
  return [...parts.slice(0, -1), customName, ...parts.slice(-1)].join('.');
}

/** `pets`, or `deliveries.mileage` for a field of each item of a list. */
function placeOf(
  { name: text, at }: MapEntry,
  type: RecordType,
  problems: Problems,
): Pick<CustomField, 'within' | 'name'> | undefined {
  const within = text.split('.');
  const name = within.pop() ?? '';
  if (!namePattern.test(name) || name === 'id') {
    return problems.error(
      at,
      `The name of a field begins with a small letter, holds letters and digits only, and is not id; "${name}" is no such name.`,
    );
  }
  let holder: Field = fieldTree(type);
  for (const [index, step] of within.entries()) {
    const below: Field | undefined = step === 'origin' ? undefined : holder.fields?.get(step);
    const whose = index === 0 ? `The ${type} record` : `"${within.slice(0, index).join('.')}"`;
    if (!below) {
      return problems.error(
        at,
        `${whose} has no object or list "${step}" that a field could stand in.${didYouMean(step, holdersIn(holder))}`,
      );
    }
    if (!below.fields) {
      return problems.error(at, `"${within.slice(0, index + 1).join('.')}" is no object: no field can stand in it.`);
    }
    holder = below;
  }
  return holder.fields?.has(name)
    ? problems.error(at, `The ${type} record has a field "${text}" already: use that one, or choose another name.`)
    : { within, name };
}

function holdersIn(field: Field): string[] {
  return [...(field.fields ?? [])].flatMap(([name, below]) => (below.fields && name !== 'origin' ? [name] : []));
}

function readField({ name, value }: MapEntry, problems: Problems): Omit<CustomField, 'within' | 'name'> | undefined {
  const kind = value.kind === 'map' ? value.entries.get('kind')?.value : undefined;
  if (value.kind !== 'map' || !isPlainText(kind)) {
    return problems.error(value.at, `Say what "${name}" is, as in { kind: integer }.`);
  }
  for (const entry of value.entries.values()) {
    if (!keys.includes(entry.name)) {
      problems.error(entry.at, `A field has no "${entry.name}".${didYouMean(entry.name, keys)}`);
    }
  }
  if (!isCustomKind(kind.value)) {
    return problems.error(kind.at, `There is no kind "${kind.value}".${didYouMean(kind.value, customKinds)}`);
  }
  return {
    kind: kind.value,
    ...readList(value.entries.get('list')?.value, problems),
    ...readCodes(value.entries.get('codes'), kind.value, problems),
    ...readRange(value, kind.value, problems),
    ...readTarget(value.entries.get('of'), kind.value, problems),
  };
}

function readList(node: Node | undefined, problems: Problems): Pick<CustomField, 'list'> {
  if (node !== undefined && !(node.kind === 'scalar' && node.value === true)) {
    problems.error(node.at, '"list" is true, or left out.');
  }
  return node === undefined ? {} : { list: true };
}

function readCodes(entry: MapEntry | undefined, kind: string, problems: Problems): Pick<CustomField, 'codes'> {
  if (!entry) {
    return {};
  }
  if (kind !== 'code') {
    problems.error(entry.at, `Only a field of kind code has "codes"; this one is of kind ${kind}.`);
  }
  const items = entry.value.kind === 'list' ? entry.value.items : [];
  const codes = items.flatMap((item) => {
    if (isPlainText(item) && codePattern.test(item.value) && item.value.length <= 64) {
      return [item.value];
    }
    problems.error(item.at, 'A code is text in lower-case letters and digits, joined by single hyphens.');
    return [];
  });
  const twice = items.find((item, index) => isPlainText(item) && codes.indexOf(item.value) < index);
  if (twice && codes.length === items.length) {
    problems.error(twice.at, 'This code is there twice.');
  }
  if (items.length === 0) {
    problems.error(entry.value.at, '"codes" is a list of at least one code.');
  }
  return { codes };
}

function readRange({ entries }: MapNode, kind: string, problems: Problems): Pick<CustomField, 'min' | 'max'> {
  const limit = (name: 'min' | 'max'): number | undefined => {
    const entry = entries.get(name);
    if (!entry) {
      return undefined;
    }
    if (kind !== 'integer' && kind !== 'number') {
      return problems.error(entry.at, `Only a number has "${name}"; this field is of kind ${kind}.`);
    }
    const value = entry.value.kind === 'scalar' ? entry.value.value : undefined;
    return typeof value === 'number' ? value : problems.error(entry.value.at, `"${name}" is a number.`);
  };
  const min = limit('min');
  const max = limit('max');
  const above = entries.get('max');
  if (min !== undefined && max !== undefined && min > max && above) {
    problems.error(above.at, '"max" lies below "min".');
  }
  return { ...(min !== undefined && { min }), ...(max !== undefined && { max }) };
}

function readTarget(entry: MapEntry | undefined, kind: string, problems: Problems): Pick<CustomField, 'of'> {
  if (!entry) {
    return {};
  }
  const type = isPlainText(entry.value) ? entry.value.value : '';
  if (kind !== 'id') {
    problems.error(entry.at, `Only an id points to a record; this field is of kind ${kind}.`);
  } else if (!isRecordType(type)) {
    problems.error(entry.value.at, `There is no record type "${type}".${didYouMean(type, recordTypes)}`);
  }
  return isRecordType(type) ? { of: type } : {};
}

// Random changes of a resource: what servers, other programs and accidents make of one. Some are FHIR, some are not.

import fc from 'fast-check';
import { isObject, type Json, type JsonObject } from '../../../src/json.ts';

type Change = (value: Json, name: string) => Json | undefined;

const absent = [{ url: 'http://hl7.org/fhir/StructureDefinition/data-absent-reason', valueCode: 'masked' }];
const strange = { system: 'urn:oid:1.2.840.114350.1.13.0.1.7.4.1', code: '7', display: 'Theirs', userSelected: true };
const r5 = { url: 'http://hl7.org/fhir/5.0/StructureDefinition/extension-DocumentReference.modality', valueCode: 'x' };

const changes: Readonly<Record<string, Change>> = {
  removed: () => undefined,
  'a text': () => 'zz top',
  'an empty text': () => '',
  'a long text': () => 'long '.repeat(5000),
  'a text with controls': (value) => `${String(value)}\u0000\u0085`,
  'white space around it': (value) => (typeof value === 'string' ? `  ${value} ` : value),
  'a number': () => 7.5,
  'a negative number': () => -1,
  'a boolean': () => true,
  null: () => null,
  'an empty object': () => ({}),
  'an empty list': () => [],
  'a part of a day': () => '2026-02',
  'no day': () => '2026-02-31',
  'a far day': () => '0001-01-01T00:00:00+14:00',
  'in a list': (value) => [value],
  'out of its list': (value) => (Array.isArray(value) ? (value[0] ?? null) : value),
  twice: (value) => (Array.isArray(value) ? [...value, ...value] : value),
  backwards: (value) => (Array.isArray(value) ? [...value].reverse() : value),
  'one less': (value) => (Array.isArray(value) ? value.slice(1) : value),
  'one more coding': (value) =>
    isObject(value) && Array.isArray(value.coding) ? { ...value, coding: [strange, ...value.coding] } : value,
  'a coding of theirs alone': (value) =>
    isObject(value) && Array.isArray(value.coding) ? { coding: [strange] } : value,
  'with an extension': (value) => (isObject(value) ? { ...value, extension: [r5] } : value),
  'with a modifier': (value) => (isObject(value) ? { ...value, modifierExtension: [r5] } : value),
  'with a comparator': (value) => (isObject(value) ? { ...value, comparator: '<' } : value),
  masked: (value) => (isObject(value) ? { extension: absent } : value),
  'in error': (value, name) => (/status$/i.test(name) ? 'entered-in-error ' : value),
  'absolute, elsewhere': (value) => changedReference(value, (text) => `https://elsewhere.example.org/fhir/${text}`),
  'a version of it': (value) => changedReference(value, (text) => `${text}/_history/3`),
  contained: (value) => changedReference(value, () => '#contained'),
  'by its display': (value) => (isObject(value) && value.reference !== undefined ? { display: 'Somebody' } : value),
  'with a strange key': (value) => (isObject(value) ? { ...value, constructor: 'x', 'a/b~c': [1] } : value),
};

function changedReference(value: Json, change: (text: string) => string): Json {
  return isObject(value) && typeof value.reference === 'string'
    ? { ...value, reference: change(value.reference) }
    : value;
}

/** A resource with one to four places changed, and what was done to it. */
export function mutated(resource: JsonObject): fc.Arbitrary<{ resource: JsonObject; done: string[] }> {
  const change = fc.record({ at: fc.nat(), what: fc.constantFrom(...Object.keys(changes)) });
  return fc.array(change, { minLength: 1, maxLength: 4 }).map((all) =>
    all.reduce<{ resource: JsonObject; done: string[] }>(
      ({ resource: before, done }, { at, what }) => {
        const paths = placesIn(before, []);
        const path = paths[at % Math.max(1, paths.length)] ?? [];
        const after = changedAt(before, path, changes[what] ?? (() => undefined));
        return isObject(after)
          ? { resource: after, done: [...done, `${path.join('.')}: ${what}`] }
          : { resource: before, done };
      },
      { resource: structuredClone(resource), done: [] },
    ),
  );
}

type Path = readonly (string | number)[];

function placesIn(value: Json, path: Path): Path[] {
  const below: Path[] = Array.isArray(value)
    ? value.flatMap((item, index) => placesIn(item, [...path, index]))
    : isObject(value)
      ? Object.entries(value).flatMap(([name, part]) =>
          name === 'resourceType' ? [] : placesIn(part, [...path, name]),
        )
      : [];
  return [...(path.length === 0 ? [] : [path]), ...below];
}

function changedAt(value: Json, path: Path, change: Change, name = ''): Json | undefined {
  const [step, ...rest] = path;
  if (step === undefined) return change(value, name);
  if (Array.isArray(value)) {
    return value.flatMap((item, index) => {
      const made = index === step ? changedAt(item, rest, change, name) : item;
      return made === undefined ? [] : [made];
    });
  }
  if (!isObject(value)) return value;
  const made = changedAt(value[step] ?? null, rest, change, String(step));
  const { [step]: _before, ...others } = value;
  return made === undefined ? others : { ...others, [step]: made };
}

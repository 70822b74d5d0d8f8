// The JSON Schema of the mapping notation, by which editors complete and check mapping files. What it cannot say (types, cardinalities, codes, paths
// within items) is checked when mappings load.

import { childNames, profileIds } from '../src/fhir/fhir.ts';
import type { Json, JsonObject } from '../src/json.ts';
import {
  conceptMapWords,
  derivations,
  lineWords,
  type MappingSet,
  mappingWords,
  owners,
  profileWords,
  ruleWords,
  slotWords,
  stateMachines,
  type ValueKind,
} from '../src/mapping/mapping.ts';
import { customKinds, type Field, fieldTree, recordTypes } from '../src/records/records.ts';

const text = (description: string): JsonObject => ({ type: 'string', minLength: 1, description });
const ref = (name: string): JsonObject => ({ $ref: `#/$defs/${name}` });

const jsonTypes: Readonly<Record<ValueKind, string>> = {
  text: 'string',
  number: 'number',
  boolean: 'boolean',
  map: 'object',
  list: 'array',
};

/** The properties of a map of the notation: the kinds that its words take when mappings load, and what is said of each here. */
function properties<Word extends string>(
  words: Readonly<Record<Word, readonly ValueKind[]>>,
  said: Readonly<Record<NoInfer<Word>, string | JsonObject>>,
): JsonObject {
  const kindsOf: Readonly<Record<string, readonly ValueKind[]>> = words;
  return Object.fromEntries(
    Object.entries<string | JsonObject>(said).map(([word, more]) => [word, property(kindsOf[word] ?? [], more)]),
  );
}

function property(kinds: readonly ValueKind[], said: string | JsonObject): JsonObject {
  const types = kinds.map((kind) => jsonTypes[kind]);
  const [only = ''] = types;
  return {
    type: types.length === 1 ? only : types,
    ...(kinds.includes('text') && { minLength: 1 }),
    ...(typeof said === 'string' ? { description: said } : said),
  };
}

/** @param set the shipped mappings: the resource types whose elements are completed are those that they make */
export function mappingSchema(set: MappingSet): JsonObject {
  const resourceTypes = [
    ...new Set(set.mappings.flatMap(({ slots }) => slots.map(({ resourceType }) => resourceType))),
  ];
  return {
    $schema: 'https://json-schema.org/draft/2020-12/schema',
    $comment: 'Made by scripts/make-mapping-schema.ts. Not edited by hand.',
    title: 'Casebridge mapping files',
    type: 'object',
    ...byFirstKey({ record: 'mapping', overlay: 'overlay', conceptMap: 'conceptMap', addsTo: 'addition' }, 'systems'),
    $defs: {
      mapping: mappingFile(),
      overlay: overlayFile(),
      field: customField(),
      slot: slot(resourceTypes.sort()),
      template: template(),
      line: line(),
      rule: rule(),
      condition: {
        type: 'object',
        minProperties: 1,
        description:
          'All must hold: {field: value}, {field: [one, of]}, {field: present}, {field: absent}, {field: {not: value}}, {field: {mapped: conceptMap}}, {field: {among: /list.field}}, {list: {some: {...}}}, {list: {none: {...}}}, {any: [{...}]}, {told: true} of a recipient of a consent, {via: {idField: recordType}, ...}.',
      },
      conceptMap: conceptMapFile(),
      addition: additionFile(),
      target: target(),
      entry: entry(),
      systems: {
        description: 'Aliases of code systems and URLs.',
        type: 'object',
        additionalProperties: { anyOf: [{ type: 'string', pattern: '^(https?:|urn:)' }, { type: 'object' }] },
      },
    },
  };
}

/** Which of the definitions a file follows, by the key that it has; else the last one. */
function byFirstKey(definitions: Readonly<Record<string, string>>, other: string): JsonObject {
  return Object.entries(definitions).reduceRight<JsonObject>(
    // biome-ignore lint/suspicious/noThenProperty: a keyword of JSON Schema
    (rest, [key, definition]) => ({ if: { required: [key] }, then: ref(definition), else: rest }),
    ref(other),
  );
}

/** What an agency adds to a record type and to its mapping (docs/custom-fields.md). */
function overlayFile(): JsonObject {
  return {
    type: 'object',
    properties: {
      overlay: { enum: [...recordTypes], description: 'The record type that it adds to.' },
      about: text('What it is, for readers.'),
      fields: {
        description: 'The fields that it adds; `list.name` is a field of each item.',
        type: 'object',
        additionalProperties: ref('field'),
      },
      resources: {
        description: 'Elements and extensions that it adds to slots of ours, and slots of its own.',
        type: 'object',
        patternProperties: { '^[a-z][A-Za-z0-9]*$': { anyOf: [ref('slot'), addedToSlot()] } },
        additionalProperties: false,
      },
      unused: {
        description: 'Fields of its own that no rule reads, each with the reason.',
        type: 'object',
        additionalProperties: { type: 'string', minLength: 1 },
      },
    },
    required: ['overlay'],
    additionalProperties: false,
  };
}

function addedToSlot(): JsonObject {
  return {
    type: 'object',
    properties: { elements: { type: 'object', additionalProperties: ref('template') } },
    required: ['elements'],
    additionalProperties: false,
  };
}

function customField(): JsonObject {
  return {
    type: 'object',
    properties: {
      kind: { enum: [...customKinds], description: 'What a value is.' },
      about: text('What it is, for readers.'),
      list: { const: true, description: 'A list of values.' },
      codes: { type: 'array', minItems: 1, items: { type: 'string' }, description: 'Closes the list of a code.' },
      min: { type: 'number' },
      max: { type: 'number' },
      of: { enum: [...recordTypes], description: 'The record type that an id points to.' },
    },
    required: ['kind'],
    additionalProperties: false,
  };
}

/** More codes for a ConceptMap of ours. */
function additionFile(): JsonObject {
  const { conceptMap: _, target: _system, unmapped: _others, ...parts } = conceptMapProperties();
  return {
    type: 'object',
    properties: { addsTo: text('The ConceptMap that it adds to.'), ...parts },
    required: ['addsTo', 'version', 'source', 'codes'],
    additionalProperties: false,
  };
}

function mappingFile(): JsonObject {
  return {
    type: 'object',
    properties: properties(mappingWords, {
      record: { enum: [...recordTypes], description: 'The record type that this file maps.' },
      about: 'What it is, for readers.',
      derive: {
        enum: Object.keys(derivations),
        description: 'What is worked out from the record before it is mapped.',
      },
      resources: {
        description: 'The resources that a record makes, by the name of their slot.',
        patternProperties: { '^[a-z][A-Za-z0-9]*$': ref('slot') },
        additionalProperties: false,
      },
      unsent: 'Why no resource is ever made of such a record; then there are no resources.',
      unused: {
        description: 'Fields that no rule reads, each with the reason.',
        additionalProperties: { type: 'string', minLength: 1 },
      },
    }),
    required: ['record'],
    additionalProperties: false,
    allOf: recordTypes.map((type) => ({
      if: { properties: { record: { const: type } } },
      // biome-ignore lint/suspicious/noThenProperty: a keyword of JSON Schema
      then: { properties: { unused: { propertyNames: { enum: pathsBelow(fieldTree(type)) } } } },
    })),
  };
}

function slot(resourceTypes: readonly string[]): JsonObject {
  const profile = { enum: profileIds().sort() };
  return {
    type: 'object',
    properties: properties(slotWords, {
      resourceType: { pattern: '^[A-Z][A-Za-z]+$', examples: [...resourceTypes] },
      profile: {
        description: 'The claim ladder: the first that the resource satisfies is claimed.',
        anyOf: [
          profile,
          {
            type: 'array',
            items: {
              anyOf: [
                profile,
                {
                  type: 'object',
                  properties: properties(profileWords, { profile, when: ref('condition') }),
                  required: ['profile'],
                  additionalProperties: false,
                },
              ],
            },
          },
        ],
      },
      owner: { enum: [...owners], description: 'Who decides about its elements unless a rule says otherwise.' },
      when: ref('condition'),
      each: 'A list of the record: one resource for each of its items.',
      by: 'The field by which its items are named: `id`, or a code that each has of its own.',
      was: 'The first name that this slot had, under which its resources stay known.',
      retired: {
        minProperties: 1,
        description: 'Fixed values that elements have once the resource is taken back; null removes one.',
      },
      ended: { minProperties: 1, description: 'The same where the resource was no error.' },
      elements: { description: 'The resource, each leaf a rule.', additionalProperties: ref('template') },
    }),
    required: ['resourceType', 'elements'],
    additionalProperties: false,
    allOf: resourceTypes.map((type) => ({
      if: { properties: { resourceType: { const: type } } },
      // biome-ignore lint/suspicious/noThenProperty: a keyword of JSON Schema
      then: { properties: { elements: { propertyNames: { enum: childNames(type, '') } } } },
    })),
  };
}

function template(): JsonObject {
  const isRule: Json = {
    anyOf: ['from', 'first', 'each', 'fixed', 'local', 'narrative', 'document', 'identifierSystem'].map((name) => ({
      required: [name],
    })),
  };
  return {
    description: 'A rule, an object in the shape of the element, a list of both, or a value that is always the same.',
    anyOf: [
      { type: ['string', 'number', 'boolean'] },
      { type: 'array', items: ref('template') },
      {
        type: 'object',
        if: isRule,
        // biome-ignore lint/suspicious/noThenProperty: a keyword of JSON Schema
        then: ref('rule'),
        else: { additionalProperties: { anyOf: [ref('template'), ref('condition'), { type: 'array' }] } },
      },
    ],
  };
}

function rule(): JsonObject {
  return {
    type: 'object',
    properties: properties(ruleWords, {
      from: 'A field of the record; `/field` from its root, `../field` of what the item is an item of, `.` the item itself.',
      code: 'The ConceptMap through which it goes.',
      unmapped: 'What becomes of a code that the map lacks: `park`, or a code of the map.',
      text: {
        description: 'The text beside a code: a field, or a rule.',
        anyOf: [{ type: 'string' }, ref('template')],
      },
      display: 'True: the text of a Reference that points nowhere.',
      words: 'Codes in the words of a ConceptMap.',
      say: { pattern: '\\{\\}', description: 'A sentence with {} for the value.' },
      prefix: 'What stands before the value there, and tells it from others of its list.',
      plus: 'A field with minutes that are added to an instant.',
      canonical: 'The resource type of a definition of our own, such as Questionnaire.',
      reference: '`type` or `type#slot`: the resource that the id points to.',
      required: 'Without it the resource waits.',
      slot: 'Another resource of the same record.',
      first: {
        minItems: 1,
        items: ref('template'),
        description: 'The first of these that the record has.',
      },
      each: 'A list of the record: one item for each of its items.',
      by: 'How items are told apart: `id`, `content`, or fields.',
      where: ref('condition'),
      distinct: 'Equal items are made once.',
      item: ref('template'),
      fixed: '`alias#code`, an alias of a URL, or a value.',
      local: '`conceptMap#code`: a code of one of our own lists.',
      narrative: { items: ref('line'), description: 'The lines of the text of a resource.' },
      document: { items: ref('line'), description: 'The lines of a plain text that is attached.' },
      identifierSystem: 'The field that names the kind of identifier.',
      own: 'The field with a system of its own.',
      when: ref('condition'),
      report: 'Said as an issue where the condition keeps a value out.',
      via: '{idField: recordType}: read from that record.',
      pick: '{from: list, where: {...}}: read from the last item that matches.',
      oneWay: 'Why nothing comes back.',
      key: 'A name for the entry of a list.',
      owner: { enum: [...owners] },
      moves: { enum: [...stateMachines], description: 'The state machine that walks this element.' },
      goesWith: 'The moving element that this one explains.',
      derived: 'Follows from other elements: written, never read back.',
    }),
    additionalProperties: false,
  };
}

function line(): JsonObject {
  return {
    type: 'object',
    properties: properties(lineWords, {
      label: 'What stands before it; in a line with `each` it may be read from the item.',
      from: 'A field of the record.',
      words: 'Codes in the words of a ConceptMap.',
      via: '{idField: recordType}: read from that record.',
      say: 'A sentence, with {} for the value where `from` names one.',
      each: 'A list of the record.',
      parts: 'What is said of an item: [{from}, ...].',
      join: 'What stands between the parts of an item; a comma by default.',
      and: 'A last item that is always there.',
      when: ref('condition'),
    }),
    additionalProperties: false,
  };
}

function conceptMapFile(): JsonObject {
  return {
    type: 'object',
    properties: conceptMapProperties(),
    required: ['conceptMap', 'version', 'source', 'codes'],
    additionalProperties: false,
  };
}

function conceptMapProperties(): JsonObject {
  return properties(conceptMapWords, {
    conceptMap: 'Its name, which is also that of our local list.',
    version: 'Of what the file says: another one whenever its codes change. Lineage names it.',
    source: 'Where the codes come from, with the version.',
    target: 'The alias of the code system; none for elements of type code.',
    codes: {
      description: 'Codes of the record and what each becomes.',
      additionalProperties: ref('entry'),
    },
    unmapped: ref('target'),
    back: {
      description: 'Which code several mean on the way back.',
      additionalProperties: { type: 'string' },
    },
  });
}

function target(): JsonObject {
  const one: Json = { type: ['string', 'number'], description: 'A code, `alias#code`, local, same, or none.' };
  const displayed: Json = {
    type: 'object',
    properties: { code: one, display: { type: 'string' } },
    required: ['code'],
    additionalProperties: false,
  };
  const several: Json = { type: 'array', items: { anyOf: [one, displayed] } };
  return { anyOf: [one, displayed, several] };
}

/** A target, or one after the other. */
function entry(): JsonObject {
  const day: Json = { type: 'string', pattern: '^\\d{4}-\\d{2}-\\d{2}$' };
  const dated: Json = {
    type: 'object',
    properties: {
      code: ref('target'),
      display: { type: 'string' },
      from: { ...day, description: 'The first day, by the `updatedAt` of the record.' },
      until: { ...day, description: 'The last day, by the `updatedAt` of the record.' },
    },
    required: ['code'],
    additionalProperties: false,
  };
  return { anyOf: [ref('target'), dated, { type: 'array', items: dated }] };
}

/** Dotted paths of all fields. */
function pathsBelow(field: Field, path = ''): string[] {
  return [...(field.fields ?? [])].flatMap(([name, below]) => {
    const here = path === '' ? name : `${path}.${name}`;
    return [here, ...pathsBelow(below, here)];
  });
}

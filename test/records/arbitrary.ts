// Valid records of every type for property tests, generated from the record schemas themselves: a new field is in them without a change here.

import fc from 'fast-check';
import { isBlank, isObject, type Json, type JsonObject } from '../../src/json.ts';
import {
  definitionsSchema,
  parseRecord,
  type RecordSchemas,
  type RecordType,
  type StoredRecord,
  shippedSchemas,
} from '../../src/records/records.ts';
import { receivedAt } from '../builders.ts';

export interface ArbitraryOptions {
  /** What to put at a path of field names (`names.given`, lists walked through) instead of what the schema allows. */
  values?: Readonly<Record<string, fc.Arbitrary<Json>>>;
  /** Fields, by path, that never appear. */
  without?: readonly string[];
  /** @default the shipped ones */
  schemas?: RecordSchemas;
}

/** Records that `parseRecord` accepts, never deletion marks. Each optional field is sometimes there; conditional ones wherever demanded. */
export function arbitraryRecord(type: RecordType, options: ArbitraryOptions = {}): fc.Arbitrary<StoredRecord> {
  const { schemas = shippedSchemas } = options;
  const schema = schemas.schema(type);
  const properties = object(schema.properties);
  const demands = object(schema.then);
  const conditional = conditionalNames(demands).filter((name) => !options.without?.includes(name));
  const whole = objectOf(
    {
      properties,
      required: [...texts(schema.required), ...texts(demands.required), ...conditional],
      anyOf: demands.anyOf ?? [{}],
    },
    '',
    { ...options, without: ['deleted', 'missing', ...(options.without ?? [])] },
  );
  const missing = fc.option(missingOf(Object.keys(properties)), { nil: undefined });
  return fc.tuple(whole, fc.subarray(conditional), missing).map(([candidate, leftOut, reasons]) => {
    const full = mend[type]({ ...object(candidate), ...(reasons && { missing: reasons }) });
    const sparse = Object.fromEntries(Object.entries(full).filter(([name]) => !leftOut.includes(name)));
    return accepted(type, sparse, schemas) ?? accepted(type, full, schemas) ?? broken(type, full, schemas);
  });
}

function accepted(type: RecordType, record: JsonObject, schemas: RecordSchemas): StoredRecord | undefined {
  const parsed = parseRecord(type, record, { now: receivedAt, schemas });
  return parsed.ok ? parsed.record : undefined;
}

function broken(type: RecordType, record: JsonObject, schemas: RecordSchemas): never {
  const parsed = parseRecord(type, record, { now: receivedAt, schemas });
  throw new Error(`arbitraryRecord('${type}') made a record that is refused: ${JSON.stringify(parsed)}`);
}

// The names that some `if` may demand, one of each choice.
function conditionalNames(demands: JsonObject): string[] {
  const conditions = Array.isArray(demands.allOf) ? demands.allOf.filter(isObject) : [];
  return conditions.flatMap((condition) => {
    const then = object(condition.then);
    const choices = Array.isArray(then.anyOf) ? then.anyOf.filter(isObject) : [];
    return [...texts(then.required ?? []), ...choices.flatMap((choice) => texts(choice.required))];
  });
}

function objectOf(schema: JsonObject, path: string, options: ArbitraryOptions): fc.Arbitrary<Json> {
  const names = Object.keys(object(schema.properties)).filter((name) => !options.without?.includes(join(path, name)));
  const fields = Object.fromEntries(
    names.map((name) => [name, arbitraryOf(object(object(schema.properties)[name]), join(path, name), options)]),
  );
  const required = texts(schema.required ?? []);
  const choices = Array.isArray(schema.anyOf) ? schema.anyOf.filter(isObject) : [{}];
  return fc.oneof(
    ...choices.map((choice) =>
      fc.record(fields, {
        requiredKeys: [...new Set([...required, ...texts(choice.required ?? [])])],
        noNullPrototype: true,
      }),
    ),
  );
}

function arbitraryOf(schema: JsonObject, path: string, options: ArbitraryOptions): fc.Arbitrary<Json> {
  const given = options.values?.[path];
  if (given) return given;
  if (typeof schema.$ref === 'string') {
    const { $ref: reference, ...beside } = schema;
    const shared = definition(reference.slice(reference.lastIndexOf('/') + 1));
    return arbitraryOf({ ...shared, ...beside }, path, options);
  }
  if (schema.type === 'array') {
    const items = object(schema.items);
    const item = options.values?.[path] ?? arbitraryOf(items, path, options);
    return fc.array(item, { minLength: 1, maxLength: 3 }).map((list) => (hasOwnIds(items) ? renumbered(list) : list));
  }
  if (Array.isArray(schema.enum)) return fc.constantFrom(...schema.enum);
  if (schema.type === 'object') return objectOf(schema, path, options);
  const minimum = typeof schema.minimum === 'number' ? schema.minimum : -1000;
  const maximum = typeof schema.maximum === 'number' ? schema.maximum : 1000;
  if (schema.type === 'integer') return fc.integer({ min: minimum, max: maximum });
  if (schema.type === 'number')
    return fc.integer({ min: minimum * 10, max: maximum * 10 }).map((tenths) => tenths / 10);
  return scalars[String(schema['x-kind'])] ?? fc.boolean();
}

const day = fc
  .date({ min: new Date('1930-01-01T00:00:00Z'), max: new Date('2026-02-01T00:00:00Z'), noInvalidDate: true })
  .map((date) => date.toISOString().slice(0, 10));
const word = fc.constantFrom('rent', 'food', 'x2', 'long-term', 'a', 'care-team');
const words = fc
  .string({ unit: 'grapheme', minLength: 1, maxLength: 12 })
  .filter((text) => !isBlank(text) && !/[\n\v\f\r\u0085\u2028\u2029]/.test(text));

const scalars: Readonly<Record<string, fc.Arbitrary<Json>>> = {
  id: fc.stringMatching(/^[A-Za-z0-9][A-Za-z0-9._-]{0,20}$/),
  line: words,
  text: fc.tuple(words, words).map(([first, second]) => `${first}\n${second}`),
  date: day,
  'partial-date': fc.tuple(day, fc.constantFrom(4, 7, 10)).map(([date, length]) => date.slice(0, length)),
  instant: fc
    .tuple(day, fc.constantFrom('00:00:00', '09:30:15', '23:59:59.120'), fc.constantFrom('Z', '-05:00', '+05:30'))
    .map(([date, time, offset]) => `${date}T${time}${offset}`),
  time: fc.constantFrom('00:00', '09:15', '23:59'),
  'time-zone': fc.constantFrom('America/New_York', 'America/Denver', 'UTC'),
  bcp47: fc.constantFrom('en', 'es', 'zh-Hant', 'pt-BR'),
  uri: fc.constantFrom('urn:oid:1.2.3', 'https://agency.example/ids'),
  money: fc.tuple(fc.nat(5000), fc.nat(99)).map(([dollars, cents]) => `${dollars}.${String(cents).padStart(2, '0')}`),
  ucum: fc.constantFrom('/wk', '{score}', 'kg', 'd'),
  e164: fc.constantFrom('+15185550100', '+442079460000'),
  'item-code': fc.constantFrom('44250-9', '44260-8', 'LA6568-5', 'LA33-6', 'Own_Code.1', 'wish-dead'),
  code: fc.array(word, { minLength: 1, maxLength: 2 }).map((parts) => parts.join('-')),
  boolean: fc.boolean(),
  connection: fc.constantFrom('general', 'north-2'),
  'resource-type': fc.constantFrom('Task', 'ServiceRequest'),
};

function missingOf(names: readonly string[]): fc.Arbitrary<Json> {
  const pointers = fc.subarray(
    names.map((name) => `/${name}`),
    { minLength: 1, maxLength: 2 },
  );
  return fc
    .tuple(pointers, fc.constantFrom('unknown', 'declined', 'not-collected', 'not-applicable'))
    .map(([keys, reason]) => Object.fromEntries(keys.map((key) => [key, reason])));
}

// What the rules beyond one field ask for.
const mend: Readonly<Record<RecordType, (record: JsonObject) => JsonObject>> = {
  organization: (record) => record,
  worker: (record) => record,
  service: (record) => record,
  client: ({ mergedInto, ...record }) => ({
    ...record,
    ...(mergedInto !== undefined && mergedInto !== record.id && { mergedInto }),
    names: objects(record.names).map((name, index) => ({ ...name, use: index === 0 ? 'legal' : 'alias' })),
    ...(record.identifiers && {
      identifiers: objects(record.identifiers).map((identifier) => ({
        ...identifier,
        ...ssnDigits[String(identifier.kind)],
      })),
    }),
  }),
  case: (record) => ({
    ...record,
    assignments: [
      ...objects(record.assignments).map((item) =>
        item.role === 'primary' ? { to: '2026-01-31T12:00:00Z', ...item } : item,
      ),
      { id: 'primary', workerId: 'worker-okafor', role: 'primary' },
    ],
  }),
  consent: (record) => record,
  coverage: (record) => record,
  assessment: (record) => ({
    ...record,
    ...(record.items && { items: withOwnCodes(objects(record.items)).map(withOneAnswer) }),
    ...(record.scores && { scores: withOwnCodes(objects(record.scores)) }),
    ...(record.sections && { sections: withOwnCodes(objects(record.sections)) }),
  }),
  hospitalStay: (record) => record,
  incident: (record) => ({
    ...record,
    ...(record.people && {
      people: objects(record.people).map(({ initials, ...person }) =>
        person.role === 'other-client' ? { id: 'client-2', ...person } : { ...person, ...(initials && { initials }) },
      ),
    }),
  }),
  need: (record) => record,
  goal: (record) => record,
  safetyPlan: (record) => record,
  referral: ({ partOfId, ...record }) => ({
    ...record,
    ...(partOfId !== undefined && record.direction === 'outgoing' && partOfId !== record.id && { partOfId }),
    history: objects(record.history).map((move, index, all) =>
      index === all.length - 1 ? { ...move, status: record.status ?? null } : move,
    ),
  }),
  intervention: (record) => record,
  carePlan: (record) => record,
  appointment: (record) => record,
  note: (record) => record,
  improvementIdea: (record) => record,
};

function withOwnCodes(items: readonly JsonObject[]): JsonObject[] {
  return items.map((item, index) =>
    items.findIndex(({ code }) => code === item.code) === index ? item : { ...item, code: `code-${index + 1}` },
  );
}

function withOneAnswer({ answer, missing, ...item }: JsonObject): JsonObject {
  const [form] = Object.entries(object(answer ?? {}));
  if (form) return { ...item, answer: Object.fromEntries([form]) };
  return missing === undefined ? item : { ...item, missing };
}

const ssnDigits: Readonly<Record<string, JsonObject>> = {
  ssn: { value: '900-12-3456' },
  'ssn-last4': { value: '3456' },
};

function hasOwnIds(items: JsonObject): boolean {
  return Array.isArray(items.required) && items.required.includes('id');
}

function renumbered(list: Json[]): Json[] {
  return list.map((item, index) => (isObject(item) ? { ...item, id: `item.${index + 1}` } : item));
}

function objects(value: Json | undefined): JsonObject[] {
  return Array.isArray(value) ? value.filter(isObject) : [];
}

function definition(name: string): JsonObject {
  return object(object(definitionsSchema.$defs)[name]);
}

function object(value: Json | undefined): JsonObject {
  if (isObject(value)) return value;
  throw new Error('a schema lacks an object where one was expected');
}

function texts(value: Json | undefined): string[] {
  return Array.isArray(value) ? value.filter((item) => typeof item === 'string') : [];
}

function join(path: string, name: string): string {
  return path === '' ? name : `${path}.${name}`;
}

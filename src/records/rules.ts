// The rules of records that look at more than one field, each with its name. They run on records that their schema has accepted, so shapes
// are known; what a deletion mark leaves out is not asked of it.

import { isObject, type Json, type JsonObject, objectsAt } from '../json.ts';
import { nearest } from '../nearest.ts';
import { type FieldError, kindOf, shownName, shownPointer } from './field-error.ts';
import type { Field } from './fields.ts';
import type { RecordType } from './record-type.ts';

type Rule = (record: JsonObject, tree: Field, now: Date) => FieldError[];

/** What the rules beyond one field refuse in a record, whose fields are those of `tree`. */
export function brokenRules(type: RecordType, tree: Field, record: JsonObject, now: Date): FieldError[] {
  const rules = record.deleted === true ? rulesOfAll : [...rulesOfAll, ...(rulesOfType[type] ?? [])];
  return rules.flatMap((rule) => rule(record, tree, now));
}

/** Clocks differ: what is said to have happened may lie so far ahead of ours. */
export const aheadLimitMs = 5 * 60_000;

const notFromTheFuture: Rule = (record, _, now) => {
  if (Date.parse(String(record.updatedAt)) <= now.getTime() + aheadLimitMs) return [];
  const message = '/updatedAt lies more than 5 minutes in the future. Check the clock and the time zone of the source.';
  return [{ pointer: '/updatedAt', rule: 'future', found: 'an instant in the future', message }];
};

/** Nobody has signed what is signed tomorrow; of one that permits nothing, as of a refusal or a revocation, nothing must be lost for it. */
const notSignedInTheFuture: Rule = ({ status, revokedAt, signedAt }, _, now) => {
  if (status !== 'active' || revokedAt !== undefined || signedAt === undefined) return [];
  if (Date.parse(String(signedAt)) <= now.getTime() + aheadLimitMs) return [];
  const message =
    '/signedAt lies more than 5 minutes in the future. Send when the consent was signed; leave it out as long as nobody has signed.';
  return [{ pointer: '/signedAt', rule: 'future', found: 'an instant in the future', message }];
};

const uniqueItemIds: Rule = (record, tree) => doubledIds(tree, record, []);

function doubledIds(field: Field, value: Json | undefined, names: readonly (string | number)[]): FieldError[] {
  if (Array.isArray(value)) {
    const inside = value.flatMap((item, index) => doubledIds(field, item, [...names, index]));
    // An id that items may lack points elsewhere (responsible.id) and is not the item's own.
    return field.fields?.get('id')?.required ? [...inside, ...doubledIn(value, names)] : inside;
  }
  if (!isObject(value)) return [];
  return withItems(field).flatMap(([name, child]) =>
    value[name] === undefined ? [] : doubledIds(child, value[name], [...names, name]),
  );
}

/** The fields of this one that are, or hold, lists of items with ids. */
function withItems(field: Field): readonly (readonly [string, Field])[] {
  const known = fieldsWithItems.get(field);
  if (known) return known;
  const found = [...(field.fields ?? [])].filter(
    ([, child]) => (child.list && child.fields?.get('id')?.required) || withItems(child).length > 0,
  );
  fieldsWithItems.set(field, found);
  return found;
}

const fieldsWithItems = new WeakMap<Field, readonly (readonly [string, Field])[]>();

function doubledIn(items: readonly Json[], names: readonly (string | number)[]): FieldError[] {
  const first = new Map<Json | undefined, number>();
  return items.flatMap((item, index) => {
    const id = isObject(item) ? item.id : undefined;
    const before = first.get(id);
    if (before === undefined) {
      first.set(id, index);
      return [];
    }
    const pointer = shownPointer([...names, index, 'id']);
    const message = `${pointer} is the same as ${shownPointer([...names, before, 'id'])}. Give each item of a list an id of its own.`;
    return [{ pointer, rule: 'unique-id', found: kindOf(id), message }];
  });
}

const missingPointsToFields: Rule = (record, tree) => {
  const missing = record.missing;
  if (!isObject(missing)) return [];
  return Object.keys(missing).flatMap((pointer) => {
    const wrong = firstUnknownName(tree, pointer);
    if (wrong === undefined) return [];
    const likely = nearest(wrong.name, wrong.candidates);
    const label =
      shownName(wrong.name) === undefined
        ? 'a name that no field has'
        : `"${shownName(wrong.name)}", which no field has`;
    return [
      {
        pointer: shownPointer(['missing', pointer]),
        rule: 'missing-pointer',
        found: 'a pointer to no field',
        message: `A key of /missing holds ${label}. ${likely ? `The nearest name is "${likely}".` : 'Point to a field of this type.'}`,
      },
    ];
  });
};

function firstUnknownName(tree: Field, pointer: string): { name: string; candidates: string[] } | undefined {
  let field: Field = tree;
  let inList = false;
  for (const step of pointer.split('/').slice(1)) {
    if (inList && /^(\d+|-)$/.test(step)) {
      inList = false;
      continue;
    }
    const name = step.replaceAll('~1', '/').replaceAll('~0', '~');
    const child = field.fields?.get(name);
    if (!child) return { name, candidates: [...(field.fields?.keys() ?? [])] };
    field = child;
    inList = child.list;
  }
  return undefined;
}

const oneLegalName: Rule = (record) => {
  const legal = objectsAt(record, 'names').filter((name) => name.use === 'legal').length;
  if (legal === 1) return [];
  const message = `/names must hold exactly one name whose use is legal; it holds ${legal}.`;
  return [{ pointer: '/names', rule: 'one-legal-name', found: kindOf(record.names), message }];
};

const notMergedIntoItself: Rule = ({ id, mergedInto }) => {
  if (mergedInto === undefined || mergedInto !== id) return [];
  const message = '/mergedInto names this client itself. Name the client whose duplicate it is, or leave it out.';
  return [{ pointer: '/mergedInto', rule: 'merged-into-itself', found: kindOf(mergedInto), message }];
};

const ssnIsComplete: Rule = (record) =>
  objectsAt(record, 'identifiers').flatMap((identifier, index) => {
    const shape = identifierShapes[String(identifier.kind)];
    if (!shape || shape.pattern.test(String(identifier.value))) return [];
    const pointer = `/identifiers/${index}/value`;
    return [{ pointer, rule: shape.rule, found: kindOf(identifier.value), message: `${pointer} ${shape.problem}` }];
  });

const identifierShapes: Readonly<Record<string, { pattern: RegExp; rule: string; problem: string }>> = {
  // Already hashed: a record read here and sent back.
  ssn: {
    pattern: /^(\d{3}[- ]?\d{2}[- ]?\d{4}|sha256:[0-9a-f]{64})$/,
    rule: 'ssn',
    problem: 'must have nine digits, with or without hyphens. Send the last four digits alone with kind ssn-last4.',
  },
  'ssn-last4': {
    pattern: /^\d{4}$/,
    rule: 'ssn-last4',
    problem: 'must have exactly four digits. Send all nine with kind ssn.',
  },
};

const carriedStatuses: ReadonlySet<Json | undefined> = new Set(['intake', 'open', 'on-hold']);

// records.md asks for one open primary "unless closed". A referred case has no worker yet and a declined one none any more: at most one there.
const oneOpenPrimary: Rule = (record) => {
  if (record.status === 'closed') return [];
  const open = objectsAt(record, 'assignments').filter(
    (item) => item.role === 'primary' && item.to === undefined,
  ).length;
  if (open === 1 || (open === 0 && !carriedStatuses.has(record.status))) return [];
  const message = `/assignments must hold exactly one primary assignment without an end; it holds ${open}. End the earlier one, or add one.`;
  return [{ pointer: '/assignments', rule: 'one-open-primary', found: kindOf(record.assignments), message }];
};

const statusIsLastMove: Rule = (record) => {
  if (objectsAt(record, 'history').at(-1)?.status === record.status) return [];
  const message = '/status must be the status of the last item of /history. Add the move, or mend the status.';
  return [{ pointer: '/status', rule: 'status-is-last-move', found: kindOf(record.status), message }];
};

const partOfIncoming: Rule = ({ id, direction, partOfId }) => {
  if (partOfId === undefined) return [];
  const refusal = (problem: string): FieldError[] => [
    { pointer: '/partOfId', rule: 'part-of-incoming', found: kindOf(partOfId), message: `/partOfId ${problem}` },
  ];
  if (direction !== 'outgoing') return refusal('is for outgoing referrals only. Leave it out of an incoming one.');
  return partOfId === id
    ? refusal('names this referral itself. Name the incoming referral that it carries out a part of.')
    : [];
};

// A client who is not the case's own is known there by their record alone (records.md 7).
const otherClientsById: Rule = (record) =>
  objectsAt(record, 'people').flatMap((person, index) => {
    if (person.role !== 'other-client' || (person.id !== undefined && person.initials === undefined)) return [];
    const pointer = `/people/${index}`;
    const message = `${pointer} is another client, who is named by id alone. Give the id and leave the initials out.`;
    return [{ pointer, rule: 'other-client-by-id', found: kindOf(person), message }];
  });

const oneAnswerForm: Rule = (record) =>
  objectsAt(record, 'items').flatMap((item, index) => {
    const forms = isObject(item.answer) ? Object.keys(item.answer) : [];
    const pointer = shownPointer(['items', index]);
    const twice = forms.length > 1;
    if (!twice && (forms.length === 0 || item.missing === undefined)) return [];
    const message = twice
      ? `${pointer}/answer must hold one form of the answer; it holds ${forms.length}. Keep one of them.`
      : `${pointer} has an answer and says under missing why it has none. Keep one of them.`;
    return [{ pointer: twice ? `${pointer}/answer` : pointer, rule: 'one-answer-form', found: kindOf(item), message }];
  });

const uniqueCodes: Rule = (record) =>
  ['items', 'scores', 'sections'].flatMap((name) => {
    const codes = objectsAt(record, name).map(({ code }) => code);
    return codes.flatMap((code, index) => {
      const first = codes.indexOf(code);
      if (first === index) return [];
      const pointer = `/${name}/${index}/code`;
      const message = `${pointer} is the same as /${name}/${first}/code. Give a code once; several choices go into answer.codes.`;
      return [{ pointer, rule: 'unique-code', found: kindOf(code), message }];
    });
  });

const rulesOfAll: readonly Rule[] = [notFromTheFuture, uniqueItemIds, missingPointsToFields];

const rulesOfType: Readonly<Partial<Record<RecordType, readonly Rule[]>>> = {
  client: [oneLegalName, notMergedIntoItself, ssnIsComplete],
  case: [oneOpenPrimary],
  consent: [notSignedInTheFuture],
  assessment: [oneAnswerForm, uniqueCodes],
  incident: [otherClientsById],
  referral: [statusIsLastMove, partOfIncoming],
};

// Lays a resource from anywhere beside a record and checks what comes of it: nothing is thrown, what is taken over is what the element says, and
// each element that is not understood is told once.

import { isObject, type Json, type JsonObject } from '../../../src/json.ts';
import { sameJson } from '../../../src/mapping/lens.ts';
import { explainAbsorb, type SlotRef } from '../../../src/mapping/mapping.ts';
import { parseRecord, type RecordType } from '../../../src/records/records.ts';
import { receivedAt } from '../../builders.ts';
import { mappingOf } from '../fixtures.ts';
import { linkedSource, linkTo } from '../linked-source.ts';

export interface Audit {
  /** Elements that the resource fills and that a rule is there for. */
  readonly elements: number;
  readonly absorbed: number;
  /** Elements that say otherwise than the record, where what the record says may come from another one. */
  readonly depends: number;
  /** Elements of a resource that the patched record alone makes none of, so that nothing can be laid beside them. */
  readonly unjudged: number;
  /** Issue code, or `no rule`, or `only goes out` -> how many elements. */
  readonly notUnderstood: ReadonlyMap<string, number>;
  /** What must not be: texts for people. */
  readonly faults: readonly string[];
}

export interface Laid {
  readonly type: RecordType;
  readonly slot: string;
  readonly record: JsonObject;
  readonly resource: JsonObject;
  readonly resolve: (reference: string) => SlotRef | undefined;
}

export function audit({ type, slot: name, record, resource, resolve }: Laid): Audit {
  const slot = mappingOf(type).slot(name);
  const keys = slot.elements.map(({ key }) => key);
  const reasons: string[] = [];
  const faults: string[] = [];
  const { patch, issues, notUnderstood } = explainAbsorb(slot, keys, resource, record, { resolve, linked: linkTo });
  const facts = slot.facts(resource);
  const patched = patchedBy(record, patch);
  const after = mappingOf(type)
    .project(patched, linkedSource)
    .find((desired) => desired.slot === name);
  let absorbed = 0;
  let depends = 0;
  let unjudged = 0;
  const told = new Set(issues.map(({ element }) => element));
  for (const { key, derived, moves, goesWith } of slot.elements) {
    if (derived || (moves ?? goesWith) !== undefined || told.has(key) || !isMeant(resource, facts[key], told)) continue;
    if (after === undefined) unjudged += facts[key] === undefined ? 0 : 1;
    else if (agrees(facts[key], after?.facts[key])) absorbed += facts[key] === undefined ? 0 : 1;
    else if (dependsOnOthers[type]?.includes(key)) depends += 1;
    else faults.push(`${key}: the element says ${said(facts[key])}, the record then ${said(after.facts[key])}`);
  }
  reasons.push(...notUnderstood.map(({ why }) => why));
  for (const path of twice(notUnderstood.map(({ element, why }) => `${element} ${why}`)))
    faults.push(`told twice: ${path}`);
  for (const refusal of refused(type, patched)) faults.push(`the record would be refused: ${refusal}`);
  for (const value of invented(patch, record, resource)) faults.push(`stands nowhere in the resource: ${said(value)}`);
  return { elements: Object.keys(facts).length, absorbed, depends, unjudged, notUnderstood: counted(reasons), faults };
}

/** Of a resource that says that it means something else nothing is taken over, and what one in error leaves out was not removed. */
function isMeant(resource: JsonObject, fact: Json | undefined, told: ReadonlySet<string>): boolean {
  const { status, lifecycleStatus, verificationStatus } = resource;
  const isInError = JSON.stringify([status, lifecycleStatus, verificationStatus]).includes('entered-in-error');
  const isQualified = ['modifierExtension', 'implicitRules', 'doNotPerform'].some((qualifier) => told.has(qualifier));
  return !isQualified && (fact !== undefined || !isInError);
}

/** What these say may come from another record, so what is said instead cannot be told from news. */
const dependsOnOthers: Partial<Record<RecordType, readonly string[]>> = {
  // Who is called in an emergency only goes out.
  client: ['contact', 'identifier[identifiers]'],
  // The system of an identifier is the connection's.
  organization: ['identifier[identifiers]'],
  // The plan's name stands in for the payer, and in a place of its own.
  coverage: ['payor[payor]'],
  referral: ['code', 'requester', 'performer[organization]'],
};

/** Identifiers in a place that the other side says nothing about are kept. */
function agrees(theirs: Json | undefined, ours: Json | undefined): boolean {
  if (sameJson(theirs, ours)) return true;
  // Codings beside ours, in systems that we read too.
  if (Array.isArray(theirs) && Array.isArray(ours) && ours.every((code) => typeof code === 'string')) {
    return ours.some((code) => theirs.includes(code));
  }
  if (!isObject(theirs) || !isObject(ours)) return theirs === undefined && isIdentifiers(ours);
  if (isIdentifiers(ours)) {
    // One without a system is known by the rest.
    const told = Object.entries(theirs).filter(([key]) => !key.includes(',null,'));
    return told.every(([key, value]) => sameJson(ours[key], value));
  }
  // An item whose id is none of ours gets one.
  const sorted = (items: JsonObject): string[] =>
    Object.values(items)
      .map((item) => JSON.stringify(item))
      .sort();
  return sameJson(sorted(theirs), sorted(ours)) && Object.keys(theirs).some((id) => ours[id] === undefined);
}

function isIdentifiers(fact: Json | undefined): boolean {
  const keys = Object.keys(isObject(fact) ? fact : {});
  return keys.length > 0 && keys.every((key) => key.startsWith('[['));
}

function said(value: Json | undefined): string {
  return value === undefined ? 'nothing' : JSON.stringify(value);
}

function twice(all: readonly string[]): string[] {
  return [...new Set(all.filter((one, index) => all.indexOf(one) !== index))];
}

function counted(all: readonly string[]): Map<string, number> {
  const counts = new Map<string, number>();
  for (const one of all) counts.set(one, (counts.get(one) ?? 0) + 1);
  return counts;
}

/** What a source would refuse, but for fields that a patch has no say in. */
function refused(type: RecordType, record: JsonObject): string[] {
  const parsed = parseRecord(type, record, { now: receivedAt });
  return parsed.ok
    ? []
    : parsed.errors.flatMap(({ rule, pointer }) =>
        ['required', 'one-of-required'].includes(rule) ? [] : [`${rule} ${pointer}`],
      );
}

/** Numbers, days and free texts of the patch that neither the resource nor the record says. */
function invented(patch: JsonObject, record: JsonObject, resource: JsonObject): Json[] {
  const there = new Set([...leavesOf(resource), ...leavesOf(record)].map(plain));
  const texts = [...there].filter((value) => typeof value === 'string');
  return leavesOf(patch).filter(
    (value) =>
      value !== null &&
      !isWord(value) &&
      !there.has(plain(value)) &&
      !texts.some((text) => text.startsWith(String(value)) || text.endsWith(String(value))),
  );
}

function plain(value: Json): Json {
  return typeof value === 'string' ? value.trim() : value;
}

/** Codes of ours, ids of links and of items that began elsewhere. */
function isWord(value: Json): boolean {
  return (
    typeof value === 'boolean' ||
    (typeof value === 'string' && /^[A-Za-z0-9._-]{1,64}$/.test(value) && !/^\d/.test(value))
  );
}

function leavesOf(value: Json): Json[] {
  if (Array.isArray(value)) return value.flatMap(leavesOf);
  return isObject(value) ? Object.values(value).flatMap(leavesOf) : [value];
}

/** RFC 7396. */
export function patchedBy(target: JsonObject, patch: JsonObject): JsonObject {
  const result = { ...target };
  for (const [name, value] of Object.entries(patch)) {
    const old = result[name];
    if (value === null) delete result[name];
    else result[name] = isObject(value) ? patchedBy(isObject(old) ? old : {}, value) : value;
  }
  return result;
}

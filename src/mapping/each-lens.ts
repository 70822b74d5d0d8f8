// `{each: list, by, where, item}`: one item in FHIR for each item of a record's list, matched by key on both sides.
// `by: id` puts the item's id into the FHIR element's id. A server's item that we did not put there is somebody else's: it is kept, and comes back as a
// new item with its id, or without one as `r-<hash of what it says>`, the same at every look.

import { createHash } from 'node:crypto';
import { canonicalJson } from '../fhir/fhir.ts';
import { cloneJson, isObject, type Json } from '../json.ts';
import type { Field } from '../records/records.ts';
import type { Condition } from './condition.ts';
import { type AbsorbRun, addIssue, blindly, type Lens, type ProjectRun, sameJson, sentIn } from './lens.ts';
import { type Claims, claimsAny, replaceItems } from './list-lens.ts';
import { type Draft, listPointer, type RecordPath, RecordScope, reader, type Scope, writer } from './scope.ts';
import { isAbsent } from './untold.ts';

export interface EachRule {
  readonly path: RecordPath;
  /** 'id'; or lenses that make the key within the item, the last one of several telling items of one place apart; or the whole content. */
  readonly by: 'id' | 'content' | readonly { name: string; lens: Lens }[];
  readonly where?: Condition | undefined;
  /** What `where` fixes, for items that begin on the other side. */
  readonly fixed: ReadonlyMap<string, Json>;
  /** Equal items are made once: a code that the record repeats, or two that become the same, is one coding. */
  readonly distinct: boolean;
  readonly item: Lens;
  readonly claims: Claims;
  /** The record's list. */
  readonly list: Field;
  /** Resources of their own are made of its items: what leaves the list here is not gone from the record. */
  readonly isShared: boolean;
  readonly at: string;
}

interface Keyed {
  readonly key: string;
  readonly value: Json;
}

export function eachLens(rule: EachRule): Lens {
  const { item, claims } = rule;
  const read = reader(rule.path);
  const itemsOf = (scope: Scope): Json[] => {
    const list = read(scope);
    return Array.isArray(list) ? list : [];
  };
  const owned = (raw: Json | undefined): Json[] => (Array.isArray(raw) ? raw.filter(claims) : []);

  const project: Lens['project'] = (scope, run) => {
    const items = read(scope);
    if (!Array.isArray(items) || items.length === 0) {
      return undefined;
    }
    const list = listPointer(scope, rule.path);
    const { trace } = run;
    const base = trace?.takeBase() ?? 0;
    const made: Json[] = [];
    for (let index = 0; index < items.length; index += 1) {
      const mark = trace?.mark() ?? 0;
      trace?.enter(base + made.length);
      const value = projectItem(rule, new RecordScope(scope.record, items[index] ?? null, list, index, scope), run);
      trace?.leave();
      if (value !== undefined && !(rule.distinct && made.some((other) => sameJson(other, value)))) {
        made.push(value);
      } else {
        trace?.forget(mark);
      }
    }
    return made.length > 0 ? made : undefined;
  };

  return {
    constant: false,
    twoWay: item.twoWay,
    present: (scope, run) =>
      itemsOf(scope).some((value) => rule.where?.(within(scope, value, rule, 0), run.context) !== false),
    project,
    fact: (raw) => {
      const keyed = keyItems(rule, withoutDoubles(rule, owned(raw)));
      if (keyed.length === 0) {
        return undefined;
      }
      if (rule.by === 'content') {
        return keyed.map(({ value }) => item.fact(value) ?? null);
      }
      return Object.fromEntries(keyed.map(({ key, value }) => [key, item.fact(value) ?? null]));
    },
    claims: (raw) => claimsAny(raw, claims),
    stands: (raw, draft, run) => {
      const blind = blindly(run);
      const made = project(draft, blind);
      return !blind.unknown && (sameJson(made, raw) || sameJson(made, filled(owned(raw))));
    },
    put: (raw, old, sent) => putItems(rule, owned(raw), Array.isArray(old) ? old : [], sent),
    absorb: (raw, draft, run) => {
      const theirs = owned(raw);
      // A list of which one item is not told is not the whole list.
      if (!run.isPlain && isAbsent(theirs))
        addIssue(run, 'left-out', 'The other side says that it does not tell all of this.', rule.at);
      else absorbItems(rule, withoutDoubles(rule, theirs), itemsOf(draft), draft, run);
    },
  };
}

/** A list of ours is not there rather than empty. */
function filled(items: Json[]): Json[] | undefined {
  return items.length > 0 ? items : undefined;
}

function within(scope: Scope, item: Json, { path }: EachRule, index: number): Scope {
  return new RecordScope(scope.record, item, listPointer(scope, path), index, scope);
}

function projectItem(rule: EachRule, scope: Scope, run: ProjectRun): Json | undefined {
  if (rule.where?.(scope, run.context) === false) return undefined;
  const value = rule.item.project(scope, run);
  if (rule.by !== 'id' || value === undefined) return value;
  const id = isObject(scope.item) ? scope.item.id : undefined;
  if (id === undefined || !isObject(value)) {
    return value;
  }
  if (run.trace !== undefined) {
    run.trace.enter('id');
    run.trace.note({ rule: rule.at, converter: 'copy', pointers: [`${scope.pointer}/id`], raw: id });
    run.trace.leave();
  }
  return { id, ...value };
}

/** A server may show an item of ours twice, id and all. */
function withoutDoubles(rule: EachRule, items: readonly Json[]): readonly Json[] {
  if (rule.by !== 'id') return items;
  return items.filter(
    (item, index) => isForeign(rule, item) || !items.slice(0, index).some((other) => sameJson(item, other)),
  );
}

/** Pairs items with their keys; equal keys are told apart by their order. */
function keyItems(rule: EachRule, items: readonly Json[]): Keyed[] {
  const seen = new Map<string, number>();
  return items.map((value) => {
    const key = keyOf(rule, value);
    const count = (seen.get(key) ?? 0) + 1;
    seen.set(key, count);
    return { key: count === 1 ? key : `${key}-${count}`, value };
  });
}

function keyOf(rule: EachRule, value: Json): string {
  if (rule.by === 'id') {
    const id = isObject(value) ? value.id : undefined;
    return typeof id === 'string' ? id : foreignKey(rule, value);
  }
  return canonicalJson(rule.by === 'content' ? (rule.item.fact(value) ?? null) : keyParts(rule.by, value));
}

function keyParts(by: Exclude<EachRule['by'], string>, value: Json): Json[] {
  return by.map(({ name, lens }) => {
    const part = isObject(value) ? value[name] : undefined;
    return part === undefined ? null : (lens.fact(part) ?? null);
  });
}

/**
 * Where an item of several key parts belongs: all but the last of them (an identifier's kind and system). An item in a place that the record
 * says nothing about is somebody else's, such as the number that a hospital has given to a patient of ours. Undefined: one place for all.
 */
function placeOf({ by }: EachRule, value: Json): string | undefined {
  return Array.isArray(by) && by.length > 1 ? canonicalJson(keyParts(by, value).slice(0, -1)) : undefined;
}

/** The id of an item that began elsewhere. Made from what it says, so that a server's rewriting does not make it another one. */
function foreignKey(rule: EachRule, value: Json): string {
  const text = canonicalJson(rule.item.fact(value) ?? null);
  return `r-${createHash('sha256').update(text).digest('hex').slice(0, 12)}`;
}

/** What we have put there, by its id; or by what it says, where the server has given it another one. */
function isOurs(rule: EachRule, value: Json, held: readonly Json[], sent: Json | undefined): boolean {
  if (isForeign(rule, value)) return false;
  if (rule.by !== 'id' || !isObject(sent) || !isObject(value)) return true;
  const fact = rule.item.fact(value) ?? null;
  const isHeld = (id: string): boolean => held.some((one) => isObject(one) && one.id === id);
  return String(value.id) in sent || Object.entries(sent).some(([id, said]) => sameJson(said, fact) && !isHeld(id));
}

function isForeign(rule: EachRule, value: Json): boolean {
  return rule.by === 'id' && !(isObject(value) && typeof value.id === 'string');
}

function putItems(
  rule: EachRule,
  wanted: readonly Json[],
  old: readonly Json[],
  sent: Json | undefined,
): Json | undefined {
  const indexes = old.flatMap((value, index) => (rule.claims(value) ? [index] : []));
  const olds = keyItems(
    rule,
    indexes.map((index) => old[index] ?? null),
  );
  const taken = new Set<number>();
  const result = keyItems(rule, wanted).flatMap(({ key, value }) => {
    const at = findMatch(rule, key, value, olds, taken);
    const match = at < 0 ? undefined : olds[at]?.value;
    taken.add(at);
    // What we have not changed since is as they have it, or gone as they took it out.
    if (rule.by === 'id' && isObject(sent) && key in sent && sameJson(sent[key], rule.item.fact(value) ?? null))
      return match === undefined ? [] : [match];
    const merged = rule.item.put(value, match, rule.by === 'content' ? undefined : sentIn(sent, key)) ?? value;
    const id = isObject(value) ? value.id : undefined;
    return [rule.by === 'id' && isObject(merged) && id !== undefined ? { id, ...merged } : merged];
  });
  // What is not ours keeps its place; what was ours and is gone leaves.
  const places = new Set(wanted.map((value) => placeOf(rule, value)));
  const leaves = (value: Json): boolean =>
    isOurs(rule, value, old, sent) && (places.has(placeOf(rule, value)) || placeOf(rule, value) === undefined);
  const replaced = indexes.filter((_, position) => taken.has(position) || leaves(olds[position]?.value ?? null));
  return replaceItems(old, replaced, result);
}

/** By key; else, where a server has dropped the ids, by equal content. */
function findMatch(
  rule: EachRule,
  key: string,
  value: Json,
  olds: readonly Keyed[],
  taken: ReadonlySet<number>,
): number {
  const byKey = olds.findIndex((old, index) => !taken.has(index) && old.key === key);
  if (byKey >= 0 || rule.by !== 'id') {
    return byKey;
  }
  const fact = rule.item.fact(value);
  return olds.findIndex(
    (old, index) => !taken.has(index) && isForeign(rule, old.value) && sameJson(rule.item.fact(old.value), fact),
  );
}

function absorbItems(
  rule: EachRule,
  observed: readonly Json[],
  items: readonly Json[],
  draft: Draft,
  run: AbsorbRun,
): void {
  const sent = items.map((value, index) => sentItem(rule, within(draft, value, rule, index), run));
  const ours = keyItems(
    rule,
    sent.map(({ raw }) => raw ?? null),
  );
  if (
    rule.distinct &&
    sameJson(
      saidOnce(
        rule,
        sent.flatMap(({ raw }) => raw ?? []),
      ),
      saidOnce(rule, observed),
    )
  )
    return;
  const taken = new Set<number>();
  const absorbed: { index: number; value: Json }[] = [];
  for (const theirs of keyItems(rule, observed)) {
    if (rule.by === 'id' && isHeldBack(theirs.key, items, sent)) {
      addIssue(run, 'left-out', 'The other side has an item that the record holds back.', rule.at);
      continue;
    }
    const match = ours.findIndex(
      (own, at) => !taken.has(at) && sent[at]?.raw !== undefined && isSame(rule, own, theirs),
    );
    // Links are not always known here, so an item that may be the same is tried: it is, if nothing changes in it.
    const index =
      match >= 0
        ? match
        : items.findIndex((item, at) => !taken.has(at) && !sent[at]?.certain && holds(rule, theirs, item, draft, run));
    const value = absorbItem(rule, theirs, items[index], draft, run);
    taken.add(index);
    if (value !== undefined) {
      absorbed.push({ index: index < 0 ? Number.MAX_SAFE_INTEGER : index, value });
    }
  }
  if (rule.by !== 'content') {
    absorbed.sort((left, right) => left.index - right.index);
  }
  // Items that were not sent, or may not have been (by `where`, for lack of a link), are none of the other side's business.
  const replaced = items.flatMap((_, index) => (sent[index]?.certain || taken.has(index) ? [index] : []));
  if (rule.isShared) {
    for (const index of replaced.filter((one) => !taken.has(one)))
      absorbed.push({ index, value: unsaid(rule, within(draft, items[index] ?? null, rule, index), draft, run) });
    absorbed.sort((left, right) => left.index - right.index);
  }
  const result = replaceItems(
    items,
    replaced,
    absorbed.map(({ value }) => value),
  );
  if (sameJson(result, items.length > 0 ? [...items] : undefined)) {
    return;
  }
  if (result === undefined && rule.list.required) {
    addIssue(run, 'required-field', 'The other side has removed this, but the record cannot be without it.', rule.at);
  } else {
    writer(rule.path)(draft, result);
  }
}

function saidOnce(rule: EachRule, items: readonly Json[]): Json[] {
  const facts = items.map((item) => rule.item.fact(item) ?? null);
  return facts.filter((fact, index) => !facts.slice(0, index).some((other) => sameJson(other, fact)));
}

/** What an item looked like on the other side, and whether that is certain without knowing the connection. */
function sentItem(rule: EachRule, scope: Scope, run: AbsorbRun): { raw: Json | undefined; certain: boolean } {
  const blind = blindly(run);
  const raw = projectItem(rule, scope, blind);
  return { raw, certain: raw !== undefined && !blind.unknown };
}

/** True for the id of an item that the record has and does not send. */
function isHeldBack(id: string, items: readonly Json[], sent: readonly { raw: Json | undefined }[]): boolean {
  const index = items.findIndex((item) => isObject(item) && item.id === id);
  return index >= 0 && sent[index]?.raw === undefined;
}

function isSame(rule: EachRule, ours: Keyed, theirs: Keyed): boolean {
  return (
    ours.key === theirs.key ||
    (isForeign(rule, theirs.value) && sameJson(rule.item.fact(ours.value), rule.item.fact(theirs.value)))
  );
}

/**
 * An item of which resources of their own speak too stays when it leaves this list: without what is said here alone, or whole where it would be said
 * here all the same.
 */
function unsaid(rule: EachRule, scope: Scope, draft: Draft, run: AbsorbRun): Json {
  const { item, pointer } = scope;
  const below: Draft = { record: { ...draft.record }, item: cloneJson(item), outer: draft, pointer };
  rule.item.absorb(undefined, below, { ...run, issues: [] });
  const required = [...(rule.list.fields ?? [])].filter(([, field]) => field.required).map(([name]) => name);
  const kept = isObject(item) ? Object.entries(item).filter(([name]) => required.includes(name)) : [];
  const left: Json = isObject(below.item) ? { ...below.item, ...Object.fromEntries(kept) } : item;
  const blind = blindly(run);
  if (
    projectItem(rule, { record: draft.record, item: left, outer: draft, pointer }, blind) === undefined &&
    !blind.unknown
  )
    return left;
  addIssue(
    run,
    'left-out',
    'The other side has taken out here what the record says elsewhere too; it stands.',
    rule.at,
  );
  return item;
}

/** True when the record's item already says what the other side's says. */
function holds(rule: EachRule, theirs: Keyed, item: Json, draft: Draft, run: AbsorbRun): boolean {
  const issues: AbsorbRun['issues'] = [];
  return sameJson(absorbItem(rule, theirs, item, draft, { ...run, issues }), item) && issues.length === 0;
}

/** The record's item as the other side has it; with an issue, where it cannot be one, as it was: undefined for a new one. */
function absorbItem(
  rule: EachRule,
  { key, value }: Keyed,
  existing: Json | undefined,
  draft: Draft,
  run: AbsorbRun,
): Json | undefined {
  const item = existing === undefined ? newItem(rule, key, value) : cloneJson(existing);
  const below: Draft = { record: draft.record, item, outer: draft, pointer: draft.pointer };
  const told = run.issues.length;
  rule.item.absorb(value, below, run);
  const made = below.item;
  if (existing === undefined && rule.fixed.size === 0 && isObject(made) && sameJson(made, newItem(rule, key, value))) {
    if (run.issues.length === told) {
      addIssue(run, 'left-out', 'An item of the other side says nothing that the record has a place for.', rule.at);
    }
    return undefined;
  }
  const missing = [...(rule.list.fields ?? [])].find(
    ([name, field]) => field.required && isObject(made) && made[name] === undefined,
  );
  if (missing) {
    addIssue(run, 'required-field', `An item of the other side lacks what the record calls ${missing[0]}.`, rule.at);
    return existing;
  }
  return made === null ? undefined : made;
}

function newItem(rule: EachRule, key: string, value: Json): Json {
  if (rule.list.kind !== 'object') {
    return null;
  }
  const id = /^(?!\.+$)[A-Za-z0-9._-]{1,64}$/.test(key) ? key : foreignKey(rule, value);
  return { ...(rule.by === 'id' && { id }), ...Object.fromEntries(rule.fixed) };
}

// Items of a record's list on both sides (`each-lens.ts`): what they are told apart by, and which item stands for which.

import { createHash } from 'node:crypto';
import { canonicalJson } from '../fhir/fhir.ts';
import { isObject, type Json } from '../json.ts';
import type { Field } from '../records/records.ts';
import type { Condition } from './condition.ts';
import { type Lens, sameJson } from './lens.ts';
import type { Claims } from './list-lens.ts';
import type { RecordPath } from './scope.ts';

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

/** What is said of one item, and what it is told from the others by. */
export interface Said {
  readonly key: string;
  readonly fact: Json;
}

export interface Keyed extends Said {
  readonly value: Json;
}

/** Equal keys are told apart by their order. */
export function keyItems(rule: EachRule, items: readonly Json[]): Keyed[] {
  return numbered(
    items.map((value) => {
      const fact = rule.item.fact(value) ?? null;
      return { key: keyOf(rule, value, fact), fact, value };
    }),
  );
}

/** The fact of a list: by content the facts of its items, else those by their keys. */
export function listFact({ by }: EachRule, items: readonly Said[]): Json {
  return by === 'content'
    ? items.map(({ fact }) => fact)
    : Object.fromEntries(items.map(({ key, fact }) => [key, fact]));
}

/** The way back from `listFact`. */
export function saidIn(fact: Json | undefined): Said[] {
  if (Array.isArray(fact)) return numbered(fact.map((one) => ({ key: canonicalJson(one), fact: one })));
  return Object.entries(isObject(fact) ? fact : {}).map(([key, one]) => ({ key, fact: one }));
}

function numbered<Item extends Said>(items: readonly Item[]): Item[] {
  const counts = new Map<string, number>();
  return items.map((item) => {
    const count = (counts.get(item.key) ?? 0) + 1;
    counts.set(item.key, count);
    return count === 1 ? item : { ...item, key: `${item.key}-${count}` };
  });
}

function keyOf({ by }: EachRule, value: Json, fact: Json): string {
  if (by !== 'id') return canonicalJson(by === 'content' ? fact : keyParts(by, value));
  return isObject(value) && typeof value.id === 'string' ? value.id : keyWithoutId(fact);
}

function keyParts(by: Exclude<EachRule['by'], string>, value: Json): Json[] {
  return by.map(({ name, lens }) => {
    const part = isObject(value) ? value[name] : undefined;
    return part === undefined ? null : (lens.fact(part) ?? null);
  });
}

/** The id of an item that began elsewhere and has none. Made from what it says, so that a server's rewriting does not make it another one. */
export function keyWithoutId(fact: Json): string {
  return `r-${createHash('sha256').update(canonicalJson(fact)).digest('hex').slice(0, 12)}`;
}

function isWithoutId({ key }: Said): boolean {
  return /^r-[0-9a-f]{12}(-\d+)?$/.test(key);
}

/** True for an item of a list with ids that has none: nobody who keeps them has put it there. */
export function lacksId({ by }: EachRule, value: Json): boolean {
  return by === 'id' && !(isObject(value) && typeof value.id === 'string');
}

/**
 * Where an item of several key parts belongs: all but the last of them (an identifier's kind and system). Undefined: one place for all.
 */
export function placeOf({ by }: EachRule, value: Json): string | undefined {
  return Array.isArray(by) && by.length > 1 ? canonicalJson(keyParts(by, value).slice(0, -1)) : undefined;
}

/**
 * Which item stands for each of those that something was said of. One of the same key; else, of what nobody's key is left for, one that says the same,
 * where ids were dropped or given anew; else, of `reworded`, the one that is most like it, where what tells items apart may have been reworded.
 */
export function standIns<Item extends Said>(
  rule: EachRule,
  said: readonly Said[],
  items: readonly Item[],
  reworded: readonly Item[],
): Map<Said, Item> {
  const found = new Map<Said, Item>();
  const free = new Set(items);
  const find = (pick: (one: Said) => Item | undefined): void => {
    if (free.size === 0) return;
    for (const one of said) {
      const item = found.has(one) ? undefined : pick(one);
      if (item === undefined) continue;
      found.set(one, item);
      free.delete(item);
    }
  };
  const byKey = new Map(items.map((item) => [item.key, item]));
  find(({ key }) => byKey.get(key));
  if (rule.by === 'id') find(({ fact }) => [...free].find((item) => sameJson(item.fact, fact)));
  find((one) =>
    mostAlike(
      one,
      reworded.filter((item) => free.has(item) && mayBeReworded(rule, one, item)),
    ),
  );
  return found;
}

/** Ids are nobody's words, and another code alone is another thing. */
function mayBeReworded({ by }: EachRule, one: Said, other: Said): boolean {
  return by === 'id' ? isWithoutId(one) || isWithoutId(other) : by === 'content' || by.length > 1;
}

function mostAlike<Item extends Said>({ fact }: Said, items: readonly Item[]): Item | undefined {
  const [best] = items
    .map((item) => ({ item, shared: shared(fact, item.fact), least: Math.min(size(fact), size(item.fact)) }))
    .filter((one) => 2 * one.shared > one.least)
    .sort((left, right) => right.shared - left.shared);
  return best?.item;
}

/** How many values both have in the same place. */
function shared(one: Json, other: Json): number {
  if (typeof one !== 'object' || typeof other !== 'object') return isSameWord(one, other) ? 1 : 0;
  const theirs = new Map(Object.entries(other ?? {}));
  return Object.entries(one ?? {}).reduce((sum, [name, part]) => sum + shared(part, theirs.get(name) ?? null), 0);
}

function size(fact: Json): number {
  return typeof fact === 'object' ? Object.values(fact ?? {}).reduce<number>((sum, part) => sum + size(part), 0) : 1;
}

/** So many letters and digits are no chance: a number without its country, a reference without its server. */
const tellingLength = 7;

function isSameWord(one: Json, other: Json): boolean {
  if (typeof one !== 'string' || typeof other !== 'string') return one === other;
  const [short = '', long = ''] = [one, other].map(bare).sort((left, right) => left.length - right.length);
  if (short === '') return one === other;
  return short === long || (short.length >= tellingLength && long.endsWith(short));
}

/** Letters and digits, whatever the case. */
function bare(text: string): string {
  return text.toLowerCase().replace(/[^\p{L}\p{N}]/gu, '');
}

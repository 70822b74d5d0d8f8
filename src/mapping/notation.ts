// The words of the notation and what may stand behind each: checked when mappings load, and told to editors by mappings/mapping.schema.json.
// YAML 1.2 takes `yes` and `no` for texts and `5` for a number, so a word of another kind than the one that is meant would do nothing.

import { didYouMean } from '../nearest.ts';
import type { MapEntry, MapNode, Node, Problems } from './positions.ts';

export type ValueKind = 'text' | 'number' | 'boolean' | 'map' | 'list';

/** A word of the notation -> the kinds of value that it takes. */
export type Words = Readonly<Record<string, readonly ValueKind[]>>;

const text = ['text'] as const;
const flag = ['boolean'] as const;
const map = ['map'] as const;
const list = ['list'] as const;
const anything = ['text', 'number', 'boolean', 'map', 'list'] as const;

/** Of a mapping file. */
export const mappingWords = {
  record: text,
  about: text,
  derive: text,
  resources: map,
  unsent: text,
  unused: map,
} as const satisfies Words;

/** Of an entry of `resources`. */
export const slotWords = {
  resourceType: text,
  profile: ['text', 'list', 'map'],
  owner: text,
  when: map,
  each: text,
  by: text,
  was: text,
  retired: map,
  ended: map,
  elements: map,
} as const satisfies Words;

/** Of an entry of `profile` that is a map. */
export const profileWords = { profile: text, when: map } as const satisfies Words;

/** Of a rule, whatever its kind. */
export const ruleWords = {
  from: text,
  code: text,
  unmapped: text,
  text: ['text', 'map'],
  display: flag,
  words: text,
  say: text,
  prefix: text,
  plus: text,
  canonical: text,
  reference: text,
  required: flag,
  slot: text,
  first: list,
  each: text,
  by: ['text', 'list'],
  where: map,
  distinct: flag,
  item: anything,
  fixed: ['text', 'number', 'boolean'],
  local: text,
  narrative: list,
  document: list,
  identifierSystem: text,
  own: text,
  when: map,
  report: text,
  via: map,
  pick: map,
  oneWay: text,
  key: text,
  owner: text,
  moves: text,
  goesWith: text,
  derived: flag,
} as const satisfies Words;

/** Of a line of a narrative or document. */
export const lineWords = {
  label: ['text', 'map'],
  from: text,
  words: text,
  via: map,
  say: text,
  each: text,
  parts: list,
  join: text,
  and: text,
  when: map,
} as const satisfies Words;

/** Of what is said of an item in such a line. */
export const partWords = { from: text, words: text, via: map, say: text } as const satisfies Words;

/** Of a file with a ConceptMap. */
export const conceptMapWords = {
  conceptMap: text,
  version: ['text', 'number'],
  source: text,
  target: text,
  codes: map,
  unmapped: ['text', 'number', 'map', 'list'],
  back: map,
} as const satisfies Words;

const kindNames: Readonly<Record<ValueKind, string>> = {
  text: 'a text',
  number: 'a number',
  boolean: 'true or false',
  map: 'a map',
  list: 'a list',
};

/** Tells of words that `whose` (as in "A slot") has not; true where all are known. */
export function areKnown(whose: string, entries: Iterable<MapEntry>, words: Words, problems: Problems): boolean {
  const strange = [...entries].filter(({ name }) => !Object.hasOwn(words, name));
  for (const { name, at } of strange) {
    problems.error(at, `${whose} has no "${name}".${didYouMean(name, Object.keys(words))}`);
  }
  return strange.length === 0;
}

/** The map without those of its words whose value is of another kind, which are told: the others can be checked all the same. */
export function ofRightKinds(node: MapNode, words: Words, problems: Problems): MapNode {
  return { ...node, entries: new Map([...node.entries].filter(([, entry]) => haveKinds([entry], words, problems))) };
}

/** Tells of known words with a value of another kind; true where every value has its kind. */
export function haveKinds(entries: Iterable<MapEntry>, words: Words, problems: Problems): boolean {
  const wrong = [...entries].filter(({ name, value }) => {
    const kinds = Object.hasOwn(words, name) ? words[name] : undefined;
    return kinds !== undefined && !isOfKind(name, value, kinds, problems);
  });
  return wrong.length === 0;
}

/** Tells of a value that is of none of these kinds, or an empty text. */
export function isOfKind(name: string, node: Node, kinds: readonly ValueKind[], problems: Problems): boolean {
  const kind = kindOf(node);
  if (kind === undefined || !kinds.includes(kind)) {
    const wanted = kinds.map((one) => kindNames[one]).join(' or ');
    problems.error(node.at, `"${name}" is ${wanted}; ${whatStands(node)}${wayOut(node, kinds)}.`);
    return false;
  }
  if (node.kind === 'scalar' && typeof node.value === 'string' && node.value.trim() === '') {
    problems.error(node.at, `"${name}" is empty: say it in words, or leave it out.`);
    return false;
  }
  return true;
}

/** Undefined for null, which is nothing. */
function kindOf(node: Node): ValueKind | undefined {
  if (node.kind !== 'scalar') return node.kind;
  const { value } = node;
  return typeof value === 'string'
    ? 'text'
    : typeof value === 'number'
      ? 'number'
      : value === null
        ? undefined
        : 'boolean';
}

function whatStands(node: Node): string {
  if (node.kind !== 'scalar') return `${kindNames[node.kind]} stands here`;
  if (node.value === null) return 'nothing stands here';
  return `${node.value} is a ${typeof node.value === 'string' ? 'text' : typeof node.value} here`;
}

const meantAsTrue = ['yes', 'y', 'on', 'true'];
const meantAsFalse = ['no', 'n', 'off', 'false'];

function wayOut(node: Node, kinds: readonly ValueKind[]): string {
  if (node.kind !== 'scalar' || node.value === null) return '';
  if (typeof node.value !== 'string') return kinds.includes('text') ? ': put it in quotes' : '';
  const word = node.value.toLowerCase();
  if (!kinds.includes('boolean')) return '';
  if (meantAsTrue.includes(word)) return ': write true';
  return meantAsFalse.includes(word) ? ': write false' : '';
}

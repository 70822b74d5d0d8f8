// YAML read into plain nodes that remember where they stood, so that every later complaint can name line and column.
// Strict on purpose: a mapping decides what leaves the agency, so nothing in it may be ambiguous or expand by itself.

import {
  type Document,
  isAlias,
  isMap,
  isScalar,
  isSeq,
  LineCounter,
  parseDocument,
  type Node as YamlNode,
} from 'yaml';
import type { MappingFile, MappingProblem } from './types.ts';

/** Counted from 1. */
export interface Position {
  readonly path: string;
  readonly line: number;
  readonly column: number;
}

export type Scalar = string | number | boolean | null;

export interface ScalarNode {
  readonly kind: 'scalar';
  readonly value: Scalar;
  readonly at: Position;
}

export interface ListNode {
  readonly kind: 'list';
  readonly items: readonly Node[];
  readonly at: Position;
}

export interface MapEntry {
  readonly name: string;
  readonly at: Position;
  readonly value: Node;
}

export interface MapNode {
  readonly kind: 'map';
  readonly entries: ReadonlyMap<string, MapEntry>;
  readonly at: Position;
}

export type Node = ScalarNode | ListNode | MapNode;

/** Collects everything that is wrong, so that one load reports all of it. */
export class Problems {
  readonly errors: MappingProblem[] = [];
  readonly warnings: MappingProblem[] = [];

  error(at: Position, message: string): undefined {
    this.errors.push({ ...at, message });
    return undefined;
  }

  warning(at: Position, message: string): void {
    this.warnings.push({ ...at, message });
  }
}

/** Larger files than this are a mistake or an attack; the largest of ours has 10 kB. */
const maxCharacters = 1_000_000;
const maxDepth = 40;

/** Of files in which nothing is wrong: one of many may change between two compilations. */
const nodesOfFile = new WeakMap<MappingFile, MapNode>();

/** Parses one file as YAML 1.2 core; undefined when it is refused, with the problems told. */
export function readNodes(file: MappingFile, problems: Problems): MapNode | undefined {
  const known = nodesOfFile.get(file);
  if (known !== undefined) return known;
  const told = problems.errors.length + problems.warnings.length;
  const nodes = parseNodes(file, problems);
  if (nodes !== undefined && problems.errors.length + problems.warnings.length === told) nodesOfFile.set(file, nodes);
  return nodes;
}

function parseNodes(file: MappingFile, problems: Problems): MapNode | undefined {
  const start = { path: file.path, line: 1, column: 1 };
  if (file.text.length > maxCharacters) {
    return problems.error(start, `The file has more than ${maxCharacters} characters.`);
  }
  const lines = new LineCounter();
  const document = parseDocument(file.text, {
    version: '1.2',
    schema: 'core',
    uniqueKeys: true,
    merge: false,
    lineCounter: lines,
    prettyErrors: false,
  });
  const position = (offset: number): Position => {
    const { line, col } = lines.linePos(offset);
    return { path: file.path, line, column: col };
  };
  for (const fault of [...document.errors, ...document.warnings]) {
    const at = position(fault.pos[0]);
    problems.error(at, fault.code === 'DUPLICATE_KEY' ? doubledKey(file.text, at) : yamlFault(fault.message));
  }
  if (document.errors.length > 0 || document.warnings.length > 0) {
    return undefined;
  }
  return rootOf(document, { position, problems, start });
}

interface Reading {
  readonly position: (offset: number) => Position;
  readonly problems: Problems;
  readonly start: Position;
}

function rootOf(document: Document.Parsed, reading: Reading): MapNode | undefined {
  const root = document.contents && convert(document.contents, reading, 0);
  if (root?.kind === 'map') {
    return root;
  }
  return root === undefined ? undefined : reading.problems.error(reading.start, 'The file must hold a map.');
}

function convert(node: YamlNode, reading: Reading, depth: number): Node | undefined {
  const at = reading.position(node.range?.[0] ?? 0);
  if (depth > maxDepth) {
    return reading.problems.error(at, `Nested deeper than ${maxDepth} levels.`);
  }
  if (isAlias(node) || ('anchor' in node && node.anchor !== undefined)) {
    return reading.problems.error(at, 'Anchors and aliases are not allowed: write the rule out.');
  }
  if (node.tag !== undefined && !node.tag.startsWith('tag:yaml.org,2002:')) {
    return reading.problems.error(at, 'Tags are not allowed.');
  }
  if (isScalar(node)) {
    return scalarNode(node.value, node.source, at, reading);
  }
  if (isSeq<YamlNode>(node)) {
    const items = node.items.map((item) => convert(item, reading, depth + 1));
    return { kind: 'list', items: items.filter((item) => item !== undefined), at };
  }
  if (isMap<YamlNode, YamlNode | null>(node)) {
    return mapNode(node.items, at, reading, depth);
  }
  return reading.problems.error(at, 'This kind of YAML node is not allowed.');
}

function scalarNode(
  value: unknown,
  source: string | undefined,
  at: Position,
  { problems }: Reading,
): ScalarNode | undefined {
  // YAML makes 123 of 0123 and 1000 of 1e3; a code would be another one.
  if (typeof value === 'number' && source !== undefined && String(value) !== source) {
    return problems.error(at, readAs(source, `the number ${value}`));
  }
  if (value === null || typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean') {
    return { kind: 'scalar', value, at };
  }
  return problems.error(at, 'Only text, numbers, true, false and null are allowed here.');
}

function mapNode(
  pairs: readonly { key: YamlNode; value: YamlNode | null }[],
  at: Position,
  reading: Reading,
  depth: number,
): MapNode {
  const entries = new Map<string, MapEntry>();
  for (const { key, value } of pairs) {
    const keyAt = reading.position(key.range?.[0] ?? 0);
    const name = isScalar(key) && typeof key.value !== 'object' ? String(key.value) : undefined;
    if (name === undefined) {
      reading.problems.error(keyAt, 'A key must be plain text.');
      continue;
    }
    const source = isScalar(key) && typeof key.value !== 'string' ? key.source : undefined;
    if (source !== undefined && source !== name) {
      reading.problems.error(keyAt, readAs(source, name));
    }
    if (entries.has(name)) {
      reading.problems.error(keyAt, `The key "${name}" is there twice, with quotes and without.`);
    }
    const below: Node | undefined = value
      ? convert(value, reading, depth + 1)
      : { kind: 'scalar', value: null, at: keyAt };
    if (below) {
      entries.set(name, { name, at: keyAt, value: below });
    }
  }
  return { kind: 'map', entries, at };
}

function readAs(source: string, value: string): string {
  return `${source} is read as ${value}; put it in quotes if the text is meant.`;
}

function yamlFault(message: string): string {
  return `Not valid YAML: ${message.split('\n')[0]}`;
}

/** Which line has the key first: the nearest one above where it stands in the same column. */
function doubledKey(text: string, { line, column }: Position): string {
  const lines = text.split('\n');
  const key = /^[^:\s]+/.exec(lines[line - 1]?.slice(column - 1) ?? '')?.[0] ?? '';
  const first = lines.slice(0, line - 1).findLastIndex((above) => above.slice(column - 1).startsWith(`${key}:`));
  return `The key "${key}" is there twice${first < 0 ? '' : `; the first one stands in line ${first + 1}`}.`;
}

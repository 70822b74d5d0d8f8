// Rules of the FHIR Mapping Language, and how they are written down.

import type { Position } from '../positions.ts';

export interface Rule {
  /** `record.domain`, or a variable alone. */
  readonly source: string;
  /** The name under which what is read goes on. */
  readonly variable?: string;
  /** FHIRPath on what the source is read from. */
  readonly where?: string;
  readonly targets: readonly string[];
  readonly rules: readonly Rule[];
  readonly at: Position;
}

/** Names that are used once in a map, made from what they stand for. */
export class Names {
  readonly #used = new Map<string, number>();

  /** `fromDomain`, then `fromDomain2`. No record has fields of such names, so that no condition can take one for the other. */
  make(kind: 'from' | 'to', name: string): string {
    const base = `${kind}${name.charAt(0).toUpperCase()}${name.slice(1)}`;
    const count = (this.#used.get(base) ?? 0) + 1;
    this.#used.set(base, count);
    return count === 1 ? base : `${base}${count}`;
  }
}

export function writeRules(rules: readonly Rule[], depth: number): string {
  return rules.map((rule) => writeRule(rule, depth)).join('');
}

function writeRule({ source, variable, where, targets, rules, at }: Rule, depth: number): string {
  const indent = '  '.repeat(depth);
  const read = [source, variable && `as ${variable}`, where && `where ${where}`].filter(Boolean).join(' ');
  const makes = targets.length === 0 ? '' : ` -> ${targets.join(', ')}`;
  const below = rules.length === 0 ? '' : ` then {\n${writeRules(rules, depth + 1)}${indent}}`;
  return `${indent}${read}${makes}${below} "${at.path.replaceAll(/[^A-Za-z0-9.-]/g, '-')}-${at.line}";\n`;
}

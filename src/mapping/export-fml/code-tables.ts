// ConceptMaps for the mapping language, whose `translate` gives a code alone: a ConceptMap for the code, another for its words. What both do not
// know of (the system, a second coding) stands in the rule, so codes that need different rules come in groups.

import type { Field } from '../../records/records.ts';
import { type ConceptMap, codeWords, codingsOf, targetOf, textOf } from '../concept-map.ts';
import { localSystem } from '../systems.ts';
import { literal } from './conditions.ts';

/** What codes of one group have in common. */
export interface CodeGroup {
  readonly codes: readonly string[];
  /** Absent: `codes` are all that can come. */
  readonly test?: 'in' | 'not-in';
  readonly codings: readonly { readonly system?: string; readonly code: Words; readonly display?: Words }[];
  readonly text?: Words;
}

export type WordGroup = Pick<CodeGroup, 'codes' | 'test'> & { readonly words: Words };

/** How a word follows from the record's code: as a target's expression, given the variable that holds the code. */
export type Words = (variable: string) => string;

interface Table {
  readonly map: ConceptMap;
  readonly codes: readonly string[];
  readonly of: (code: string) => string;
  readonly systemOf: (code: string) => string;
}

/** The ConceptMaps of one map, in the order of their use, each with the codes that its rules look up. */
export class CodeTables {
  readonly #tables = new Map<string, Table>();
  readonly #identifierSystem: string;

  constructor(identifierSystem: string) {
    this.#identifierSystem = identifierSystem;
  }

  /** The ConceptMaps, as they stand before the group. */
  written(): string {
    return [...this.#tables].map(([name, table]) => this.#written(name, table)).join('');
  }

  groups(map: ConceptMap, field: Field): CodeGroup[] {
    const codes = [...new Set([...map.codes, ...(field.enum ?? [])])].filter(
      (code) => targetOf(map, code) !== undefined,
    );
    const bySignature = Map.groupBy(codes, (code) => this.#signature(map, code));
    const all = field.enum?.every((code) => codes.includes(code)) === true;
    const isOnlyGroup = all && bySignature.size === 1;
    const groups = [...bySignature.values()].map((members) =>
      this.#group(map, members, isOnlyGroup ? undefined : 'in'),
    );
    if (!map.unmapped || field.enum !== undefined) return groups;
    return [...groups, this.#openGroup(map, [...map.codes])];
  }

  /** The codes in words: those that a list names, and those that only their spelling tells. */
  words(map: ConceptMap, field: Field): WordGroup[] {
    if (field.enum !== undefined) return [{ codes: field.enum, words: this.#words(map, field.enum) }];
    const named = [...map.codes].filter((code) => map.targets.get(code)?.display !== undefined);
    return named.length === 0
      ? [{ codes: [], words: inWords }]
      : [
          { codes: named, test: 'in', words: this.#words(map, named) },
          { codes: named, test: 'not-in', words: inWords },
        ];
  }

  /** What a rule has to say besides the two ConceptMaps; codes that agree in it go by one rule. */
  #signature(map: ConceptMap, code: string): string {
    const codings = this.#codings(map, code).map(({ system, code: to, display }, index) => [
      system,
      index > 0 && to !== code ? to : undefined,
      display === undefined ? undefined : display === codeWords(map, code) ? 'words' : display,
    ]);
    return JSON.stringify([codings, textOf(map, code) === undefined]);
  }

  #group(map: ConceptMap, codes: readonly string[], test: CodeGroup['test']): CodeGroup {
    const [sample = ''] = codes;
    const codings = this.#codings(map, sample).map(({ system, code, display }, index) => ({
      ...(system !== undefined && { system }),
      code: index === 0 ? this.#codes(map, codes) : code === sample ? itself : (): string => literal(code),
      ...(display !== undefined && { display: this.#words(map, codes) }),
    }));
    return {
      codes,
      ...(test && { test }),
      codings,
      ...(textOf(map, sample) !== undefined && { text: this.#words(map, codes) }),
    };
  }

  /** Codes that no list has: as they are, in words made from their spelling, beside what is fixed. */
  #openGroup(map: ConceptMap, listed: readonly string[]): CodeGroup {
    const placeholder = '\u0000';
    const codings = this.#codings(map, placeholder).map(({ system, code, display }) => ({
      ...(system !== undefined && { system }),
      code: code === placeholder ? itself : (): string => literal(code),
      ...(display !== undefined && { display: inWords }),
    }));
    const own = map.unmapped?.display;
    const hasText = textOf(map, placeholder) !== undefined;
    return {
      codes: listed,
      ...(listed.length > 0 && { test: 'not-in' as const }),
      codings,
      ...(hasText && { text: own === undefined ? inWords : (): string => literal(own) }),
    };
  }

  #codings(map: ConceptMap, code: string) {
    const target = targetOf(map, code);
    return target ? codingsOf(map, target, code, this.#identifierSystem) : [];
  }

  #codes(map: ConceptMap, codes: readonly string[]): Words {
    const systemOf = (code: string): string => this.#codings(map, code)[0]?.system ?? `${this.#own(map)}-codes`;
    return this.#lookup(map.name, codes, { map, of: (code) => this.#codings(map, code)[0]?.code ?? code, systemOf });
  }

  #words(map: ConceptMap, codes: readonly string[]): Words {
    const systemOf = (): string => `${this.#own(map)}-words`;
    return this.#lookup(`${map.name}-words`, codes, { map, of: (code) => codeWords(map, code), systemOf });
  }

  /** A ConceptMap is not needed where all codes stay as they are or become the same. */
  #lookup(name: string, codes: readonly string[], table: Omit<Table, 'codes'>): Words {
    const [first = ''] = codes;
    if (codes.every((code) => table.of(code) === code)) return itself;
    if (codes.every((code) => table.of(code) === table.of(first))) return () => literal(table.of(first));
    const known = this.#tables.get(name)?.codes ?? [];
    this.#tables.set(name, { ...table, codes: [...new Set([...known, ...codes])] });
    return (variable) => `translate(${variable}, ${literal(`#${name}`)}, 'code')`;
  }

  #written(name: string, { map, codes, of, systemOf }: Table): string {
    const systems = [...new Set(codes.map(systemOf))];
    const prefixOf = (system: string): string => (systems.length === 1 ? 't' : `t${systems.indexOf(system) + 1}`);
    const prefixes = systems.map((system) => `  prefix ${prefixOf(system)} = ${quoted(system)}\n`);
    const lines = codes.map((code) => `  s:${quoted(code)} == ${prefixOf(systemOf(code))}:${quoted(of(code))}\n`);
    const source = `  prefix s = ${quoted(this.#own(map))}\n`;
    return `conceptmap ${quoted(name)} {\n${source}${prefixes.join('')}\n${lines.join('')}}\n\n`;
  }

  /** The system of the record's codes. */
  #own(map: ConceptMap): string {
    return localSystem(this.#identifierSystem, map.name);
  }
}

const itself: Words = (variable) => variable;

/** As `food-pantry` is said: food pantry. */
/** As the mapping says codes in words: those that begin with a small letter. */
const inWords: Words = (variable) => `(%${variable}.replaceMatches('(?<=^[a-z].*)-', ' '))`;

function quoted(text: string): string {
  return `"${text.replaceAll('\\', '\\\\').replaceAll('"', '\\"')}"`;
}

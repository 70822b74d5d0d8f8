// What the mappers by hand share: how texts are cleaned, codes looked up, references made, and what is found on the way.

import type { ProjectContext, SlotRef } from '../../../src/mapping/mapping.ts';
import type { Concept, Table, TableCoding } from '../tables.ts';
import type { HandTables } from './hand-tables.ts';
import { urls } from './urls.ts';

/** A value of a resource; undefined leaves the element out of the JSON text. */
export type Out =
  | string
  | number
  | boolean
  | undefined
  | readonly Out[]
  | { readonly [name: string]: Out }
  | OutConcept;
type OutConcept = Concept | TableCoding;

export interface Issue {
  readonly code: 'unmapped-code' | 'does-not-fit' | 'no-identifier-system' | 'left-out';
  readonly pointer?: string;
}

/** One record on its way. */
export interface Run {
  readonly context: ProjectContext;
  readonly tables: HandTables;
  readonly issues: Issue[];
  readonly missing: SlotRef[];
}

/** Trimmed; what FHIR takes for no string is told. */
export function text(value: string | undefined, pointer: string, run: Run): string | undefined {
  if (value === undefined) return undefined;
  const trimmed = value.trim();
  if (trimmed !== '' && !forbidden.test(trimmed)) return trimmed;
  run.issues.push({ code: 'does-not-fit', pointer });
  return undefined;
}

/** A text that is a code: its words are parted by single spaces. */
export function codeText(value: string, pointer: string, run: Run): string | undefined {
  const trimmed = text(value, pointer, run);
  if (trimmed === undefined || /^\S+( \S+)*$/.test(trimmed)) return trimmed;
  run.issues.push({ code: 'does-not-fit', pointer });
  return undefined;
}

// R4 strings allow tab, line feed and carriage return below U+0020.
const forbidden = /(?![\t\n\r\u007f-\u009f])\p{Cc}/u;

/** A concept of one of our tables; a code that the table does not know is told. */
export function concept(table: Table, code: string | undefined, pointer: string, run: Run): Concept | undefined {
  if (code === undefined) return undefined;
  const found = table.concepts.get(code);
  if (found !== undefined || table.concepts.has(code)) return found;
  if (table.tellsOthers) run.issues.push({ code: 'unmapped-code', pointer });
  return table.other?.(code);
}

/** The code alone. */
export function codeIn(table: Table, code: string | undefined, pointer: string, run: Run): string | undefined {
  return concept(table, code, pointer, run)?.coding[0]?.code;
}

/** The first coding alone. */
export function codingIn(table: Table, code: string | undefined, pointer: string, run: Run): TableCoding | undefined {
  return concept(table, code, pointer, run)?.coding[0];
}

export function to(
  type: SlotRef['type'],
  slot: string,
  id: string | undefined,
  run: Run,
): { reference: string } | undefined {
  if (id === undefined) return undefined;
  const target = { type, id, slot };
  const reference = run.context.reference(target);
  if (reference !== undefined) return { reference };
  run.missing.push(target);
  return undefined;
}

/** The references that there are; undefined for none. */
export function toAll(type: SlotRef['type'], slot: string, ids: readonly string[] | undefined, run: Run): Out {
  return list(ids?.map((id) => to(type, slot, id, run)));
}

/** Without what is not there; undefined when empty. */
export function list<T extends Out>(items: readonly (T | undefined)[] | undefined): readonly T[] | undefined {
  const there = items?.filter((item) => item !== undefined);
  return there !== undefined && there.length > 0 ? there : undefined;
}

/** A period; undefined without any end. */
export function period(start: string | undefined, end: string | undefined): Out {
  return start === undefined && end === undefined ? undefined : { start, end };
}

export interface Key {
  readonly id: string;
  readonly sensitivity?: readonly string[];
}

/** What every resource begins with. */
export function head(type: SlotRef['type'], slot: string, record: Key, profile: string | undefined, run: Run) {
  const { source, identifierSystem } = run.context;
  const { sensitivity } = record;
  return {
    meta: {
      source: `${identifierSystem}/${source}`,
      tag: [{ system: `${identifierSystem}/CodeSystem/tags`, code: 'casebridge' }],
      profile: profile === undefined ? undefined : [profile],
      security: sensitivity === undefined || sensitivity.length === 0 ? undefined : security(sensitivity, run),
    },
    identifier: [{ system: identifierSystem, value: `${source}/${type}/${record.id}#${slot}` }],
  };
}

function security(labels: readonly string[], run: Run): Out {
  const table = run.tables.sensitivity;
  const codings = labels.map((label, at) => codingIn(table, label, `/sensitivity/${at}`, run));
  return list<Out>([{ system: urls.v3Confidentiality, code: 'R' }, ...new Set(codings)]);
}

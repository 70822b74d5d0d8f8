// Writes the tables of docs/records.md from the record schemas.

import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type Field, fieldTree, type RecordType, recordTypes } from '../src/records/records.ts';

const page = join(import.meta.dirname, '..', 'docs', 'records.md');

/** In every record; told once. */
const common = [
  'id',
  'updatedAt',
  'createdAt',
  'createdBy',
  'updatedBy',
  'deleted',
  'sensitivity',
  'missing',
  'origin',
];

/** The page with the tables between its marks. */
export function withRecordTables(text: string): string {
  const [begins, ends] = ['<!-- types -->\n', '\n<!-- end of types -->'];
  const [before = ''] = text.split(begins);
  const after = text.split(ends.trim())[1] ?? '';
  return [before, begins, recordTypes.map(tableOf).join('\n\n'), ends, after].join('');
}

function tableOf(type: RecordType): string {
  const own = [...(fieldTree(type).fields ?? [])].filter(([name]) => !common.includes(name));
  const rows = own.flatMap(([name, field]) => rowsOf(name, field));
  return [
    `## ${type}`,
    '',
    '| field | holds |',
    '|---|---|',
    ...rows.map(([name, holds]) => `| ${name} | ${holds} |`),
  ].join('\n');
}

function rowsOf(name: string, field: Field): [name: string, holds: string][] {
  const here = field.list ? `${name}[]` : name;
  const shown = field.required ? `**\`${here}\`**` : `\`${here}\``;
  const inside = [...(field.fields ?? [])].flatMap(([child, one]) => rowsOf(`${here}.${child}`, one));
  return inside.length > 0 && !field.required && !field.list ? inside : [[shown, holdsOf(field)], ...inside];
}

function holdsOf(field: Field): string {
  const { kind, ref, min, max, enum: codes } = field;
  if (codes !== undefined) return codes.map((code) => `\`${code}\``).join(', ');
  if (ref !== undefined) return `id: ${ref}`;
  const range = [min === undefined ? '' : `from ${min}`, max === undefined ? '' : `to ${max}`]
    .filter(Boolean)
    .join(' ');
  return `${kinds[kind]}${range === '' ? '' : `, ${range}`}`;
}

const kinds: Readonly<Record<Field['kind'], string>> = {
  id: 'id',
  line: 'line',
  text: 'text',
  date: 'date: `2026-03-02`',
  'partial-date': 'date, or month or year alone',
  instant: 'instant with its offset: `2026-03-02T09:00:00-05:00`',
  time: 'time of day: `09:30`',
  'time-zone': 'time zone: `America/New_York`',
  bcp47: 'language: `es`, `en-US`',
  uri: 'URI',
  money: 'amount as text: `"120.50"`',
  ucum: 'unit by UCUM: `mg`',
  e164: 'phone number: `+15185550134`',
  'item-code': 'code of an item',
  code: 'code in small letters and hyphens',
  number: 'number',
  integer: 'whole number',
  boolean: 'true or false',
  connection: 'name of a connection',
  'resource-type': 'FHIR resource type',
  object: 'object, with:',
  map: 'object, with names of your own',
};

if (process.argv[1] === import.meta.filename) await writeFile(page, withRecordTables(await readFile(page, 'utf8')));

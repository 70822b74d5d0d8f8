// The values that a search compares, from elements of a resource: codes, references, texts, spans of time (https://hl7.org/fhir/R4/search.html).

import { isObject, type Json, type JsonObject } from '../../json.ts';

export const searchTypes = ['token', 'reference', 'string', 'uri', 'date'] as const;
export type SearchType = (typeof searchTypes)[number];

export interface TokenValue {
  kind: 'token';
  system?: string;
  value: string;
  /** A bare code, boolean or id: its system is implied, so any asked system fits. */
  bare: boolean;
}
export interface ReferenceValue {
  kind: 'reference';
  /** As it stands in the resource: `Type/id`, an absolute URL, a canonical. */
  reference?: string;
  identifier?: TokenValue;
}
export interface TextValue {
  kind: 'text';
  text: string;
}
export interface DateValue {
  kind: 'date';
  /** First and last millisecond that the value may mean; a Period without an end has Infinity. */
  start: number;
  end: number;
}
export type SearchValue = TokenValue | ReferenceValue | TextValue | DateValue;

/** What an element says to a parameter of this type. */
export function searchValues(type: SearchType, value: Json | undefined): SearchValue[] {
  switch (type) {
    case 'token':
      return tokens(value);
    case 'reference':
      return references(value);
    case 'date':
      return dates(value);
    case 'string':
    case 'uri':
      return texts(value);
    default:
      return type satisfies never;
  }
}

/** The span of time that a FHIR date, dateTime or instant stands for; without a zone it is read as UTC. */
export function dateSpan(text: string): { start: number; end: number } | undefined {
  const match = /^(\d{4})(?:-(\d\d)(?:-(\d\d)(?:T(\d\d:\d\d)(:\d\d(\.\d+)?)?(Z|[+-]\d\d:\d\d)?)?)?)?$/.exec(text);
  if (match === null) return undefined;
  const [, year, month = '01', day = '01', time, seconds, fraction, zone = 'Z'] = match;
  const start = Date.parse(`${year}-${month}-${day}T${time ?? '00:00'}${seconds ?? ':00'}${zone}`);
  if (Number.isNaN(start)) return undefined;
  if (fraction !== undefined) return { start, end: start };
  if (time !== undefined) return { start, end: start + (seconds === undefined ? 59_999 : 999) };
  if (match[3] !== undefined) return { start, end: start + 86_400_000 - 1 };
  const next = match[2] === undefined ? Date.UTC(Number(year) + 1, 0) : Date.UTC(Number(year), Number(month));
  return { start, end: next - 1 };
}

function tokens(value: Json | undefined): TokenValue[] {
  if (!isObject(value)) return value === undefined || value === null ? [] : [token(undefined, String(value), true)];
  if (Array.isArray(value.coding))
    return value.coding.filter(isObject).map((coding) => token(coding.system, coding.code));
  return [token(value.system, value.code ?? value.value)];
}

function token(system: Json | undefined, value: Json | undefined, bare = false): TokenValue {
  const code = typeof value === 'string' ? value : '';
  return { kind: 'token', value: code, bare, ...(typeof system === 'string' && { system }) };
}

function references(value: Json | undefined): ReferenceValue[] {
  if (typeof value === 'string') return [{ kind: 'reference', reference: value }];
  if (!isObject(value)) return [];
  const { reference, identifier } = value;
  return [
    {
      kind: 'reference',
      ...(typeof reference === 'string' && { reference }),
      ...(isObject(identifier) && { identifier: token(identifier.system, identifier.value) }),
    },
  ];
}

function dates(value: Json | undefined): DateValue[] {
  if (typeof value === 'string') {
    const span = dateSpan(value);
    return span === undefined ? [] : [{ kind: 'date', ...span }];
  }
  if (!isObject(value) || (value.start === undefined && value.end === undefined)) return [];
  const start = typeof value.start === 'string' ? dateSpan(value.start)?.start : undefined;
  const end = typeof value.end === 'string' ? dateSpan(value.end)?.end : undefined;
  return [{ kind: 'date', start: start ?? Number.NEGATIVE_INFINITY, end: end ?? Number.POSITIVE_INFINITY }];
}

/** A HumanName or Address matches by any of its parts. */
function texts(value: Json | undefined): TextValue[] {
  if (typeof value === 'string') return [{ kind: 'text', text: value }];
  if (!isObject(value)) return [];
  return partNames.flatMap((name) => [value[name]].flat().filter(isText)).map((text) => ({ kind: 'text', text }));
}

const partNames = [
  ...['family', 'given', 'prefix', 'suffix', 'text'],
  ...['line', 'city', 'district', 'state', 'postalCode', 'country'],
] satisfies readonly (keyof JsonObject)[];

function isText(value: Json | undefined): value is string {
  return typeof value === 'string';
}

// Values as PGlite's own query writes and reads them: by the type that the database names.

import type { PGlite } from '@electric-sql/pglite';

type Values = Pick<PGlite, 'parsers' | 'serializers'>;

/** A parameter as text; null for SQL's null. @param type OID */
export function parameterText({ serializers }: Values, value: unknown, type: number): string | null {
  if (value === null || value === undefined) return null;
  const serialize = serializers[type];
  if (serialize !== undefined) return serialize(value);
  return value instanceof Date ? value.toISOString() : String(value);
}

/** A column's value from its text. @param type OID */
export function columnValue({ parsers }: Values, text: string, type: number): unknown {
  const parse = parsers[type];
  return parse === undefined ? text : parse(text, type);
}

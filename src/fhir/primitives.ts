// The JSON form of R4's primitive types (https://hl7.org/fhir/R4/datatypes.html#primitive): given a value, what is wrong with it.

import type { Json } from '../json.ts';

/** What is wrong, in words that fit after "This element"; undefined when nothing is. */
export type PrimitiveCheck = (value: Json) => string | undefined;

const year = '\\d{4}';
const month = '(?:0[1-9]|1[0-2])';
const day = '(?:0[1-9]|[12]\\d|3[01])';
const clock = '(?:[01]\\d|2[0-3]):[0-5]\\d:(?:[0-5]\\d|60)(?:\\.\\d+)?';
const zone = '(?:Z|[+-](?:(?:0\\d|1[0-3]):[0-5]\\d|14:00))';

const datePattern = new RegExp(`^${year}(?:-${month}(?:-${day})?)?$`);
const dateTimePattern = new RegExp(`^${year}(?:-${month}(?:-${day}(?:T${clock}${zone})?)?)?$`);
const instantPattern = new RegExp(`^${year}-${month}-${day}T${clock}${zone}$`);

const notBase64 = 'is not base64';
// Patterns without nested repeats: attachments may be megabytes long.
const base64Text = text(/^[A-Za-z0-9+/=\s]+$/, notBase64);

export const primitiveChecks: Readonly<Record<string, PrimitiveCheck>> = {
  base64Binary: (value) =>
    base64Text(value) ?? (typeof value === 'string' && /=\s*[^=\s]/.test(value) ? notBase64 : undefined),
  boolean: (value) => (typeof value === 'boolean' ? undefined : 'must be true or false'),
  canonical: text(/^\S+$/, 'holds white space'),
  code: text(/^\S+(?:\s\S+)*$/, 'has white space at an end, or more than one space in a row'),
  date: calendar(datePattern, 'is not a date (YYYY, YYYY-MM or YYYY-MM-DD)'),
  dateTime: calendar(dateTimePattern, 'is not a dateTime (a date, or a date with time, seconds and zone)'),
  decimal: (value) => (typeof value === 'number' && Number.isFinite(value) ? undefined : 'must be a number'),
  id: text(/^[A-Za-z0-9\-.]{1,64}$/, 'is not an id (1 to 64 letters, digits, "-" and ".")'),
  instant: calendar(instantPattern, 'is not an instant (date, time, seconds and zone)'),
  integer: integer(-2_147_483_648),
  markdown: text(/\S/, 'is blank'),
  oid: text(/^urn:oid:[0-2](?:\.(?:0|[1-9]\d*))+$/, 'is not an OID (urn:oid:...)'),
  positiveInt: integer(1),
  string: text(/\S/, 'is blank'),
  time: text(new RegExp(`^${clock}$`), 'is not a time (HH:MM:SS)'),
  unsignedInt: integer(0),
  uri: text(/^\S+$/, 'holds white space'),
  url: text(/^\S+$/, 'holds white space'),
  uuid: text(/^urn:uuid:[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/, 'is not a UUID (urn:uuid:...)'),
  xhtml: text(/^\s*<div[\s>][\s\S]*<\/div>\s*$/, 'is not an XHTML div'),
};

/** R4 allows tab, line feed and carriage return, and does not forbid U+007F to U+009F. A loop: every text of every resource passes here. */
function hasControlCharacter(value: string): boolean {
  for (let at = 0; at < value.length; at += 1) {
    const code = value.charCodeAt(at);
    if (code < 32 && code !== 9 && code !== 10 && code !== 13) return true;
  }
  return false;
}

function text(pattern: RegExp, problem: string): PrimitiveCheck {
  return (value) => {
    if (typeof value !== 'string') {
      return 'must be a text';
    }
    if (value === '') {
      return 'is an empty text';
    }
    if (hasControlCharacter(value)) {
      return 'holds a control character';
    }
    return pattern.test(value) ? undefined : problem;
  };
}

/** The pattern, and a day that the calendar has. */
function calendar(pattern: RegExp, problem: string): PrimitiveCheck {
  const matches = text(pattern, problem);
  return (value) =>
    matches(value) ?? (typeof value === 'string' && !hasDay(value) ? 'names a day that does not exist' : undefined);
}

function hasDay(value: string): boolean {
  const dayOfMonth = Number(value.slice(8, 10));
  if (dayOfMonth <= 28) {
    return true;
  }
  const lastDay = new Date(Date.UTC(Number(value.slice(0, 4)), Number(value.slice(5, 7)), 0)).getUTCDate();
  return dayOfMonth <= lastDay;
}

function integer(lowest: number): PrimitiveCheck {
  return (value) =>
    typeof value === 'number' && Number.isInteger(value) && value >= lowest && value <= 2_147_483_647
      ? undefined
      : `must be a whole number from ${lowest} to 2147483647`;
}

// How single values cross: a record's kinds of value against FHIR's primitive types, both ways, and the form in which two are compared.
// Comparing forgives what servers rewrite: white space at the ends, the zone and the fractions of an instant.

import { DateTime } from 'luxon';
import { isBlank, type Json } from '../json.ts';
import { type Field, type FieldKind, isCalendarDate, isInstantOrLocal, isPartialDate } from '../records/records.ts';

/** One pairing of record kind and FHIR type. `toFhir` and `fromFhir` answer undefined for a value that does not fit. */
export interface Form {
  toFhir(value: Json): Json | undefined;
  fromFhir(value: Json): Json | undefined;
  fact(value: Json): Json | undefined;
  /** A value of the other side as it is read where its reader is, in an IANA time zone; absent: the same everywhere. */
  readonly inZone?: (value: Json, timeZone: string) => Json;
}

const textKinds: readonly FieldKind[] = [
  'id',
  'line',
  'text',
  'time-zone',
  'bcp47',
  'uri',
  'money',
  'ucum',
  'e164',
  'item-code',
  'code',
];

const dateForm: Form = {
  toFhir: text,
  fromFhir: that(isCalendarDate, dayOf),
  fact: (value) => dayOf(value) ?? text(value),
  inZone: dayInZone,
};
const partialDateForm: Form = { toFhir: text, fromFhir: that(isPartialDate, partialDate), fact: partialDate };
const instantForm: Form = {
  toFhir: instant,
  fromFhir: that(isInstantOrLocal, instant),
  fact: (value) => instantFact(value) ?? text(value),
};
const timeForm: Form = { toFhir: withSeconds, fromFhir: that(isTimeOfDay, withoutSeconds), fact: withSeconds };
const booleanForm: Form = { toFhir: bool, fromFhir: bool, fact: bool };
const decimalForm: Form = { toFhir: number, fromFhir: number, fact: number };

const textTypes = ['string', 'markdown'];

/** The pairing, or undefined where the kind cannot become the type. */
export function formFor(field: Field, fhirType: string): Form | undefined {
  switch (field.kind) {
    case 'date':
      return ['date', 'dateTime'].includes(fhirType) ? dateForm : undefined;
    case 'partial-date':
      return ['date', 'dateTime'].includes(fhirType) ? partialDateForm : undefined;
    case 'instant':
      return ['dateTime', 'instant'].includes(fhirType) ? instantForm : undefined;
    case 'time':
      return fhirType === 'time' ? timeForm : undefined;
    case 'boolean':
      return fhirType === 'boolean' ? booleanForm : undefined;
    case 'number':
      return fhirType === 'decimal' ? inRange(decimalForm, field) : undefined;
    case 'integer':
      return inRange(integerForm(fhirType), field);
    default:
      return textKinds.includes(field.kind) ? textForm(field, fhirType) : undefined;
  }
}

/** The comparable form of a primitive whose record side is not known, such as a fixed one. */
export function primitiveFact(value: Json): Json | undefined {
  return typeof value === 'string' ? text(value) : value;
}

/** Trimmed text without control characters; undefined when nothing is left to be seen. */
export function text(value: Json): string | undefined {
  if (typeof value !== 'string') {
    return undefined;
  }
  const trimmed = value.trim();
  return isBlank(trimmed) || hasControl(trimmed) ? undefined : trimmed;
}

/** R4 strings allow tab, line feed and carriage return below U+0020. A loop, because every text of every record passes here. */
function hasControl(value: string): boolean {
  for (let at = 0; at < value.length; at += 1) {
    const code = value.charCodeAt(at);
    if (code < 32 && code !== 9 && code !== 10 && code !== 13) {
      return true;
    }
  }
  return false;
}

function textForm(field: Field, fhirType: string): Form | undefined {
  const fromFhir = (value: Json): Json | undefined => recordText(text(value), field);
  if (textTypes.includes(fhirType)) {
    return { toFhir: text, fromFhir, fact: text };
  }
  if (['uri', 'url', 'canonical'].includes(fhirType)) {
    return { toFhir: matching(/^\S+$/), fromFhir, fact: text };
  }
  // A free text is no code; codes, languages and units are.
  if (fhirType === 'code' && ['code', 'bcp47', 'ucum', 'line'].includes(field.kind)) {
    return { toFhir: matching(/^\S+( \S+)*$/), fromFhir, fact: text };
  }
  if (fhirType === 'id') {
    return { toFhir: matching(/^[A-Za-z0-9\-.]{1,64}$/), fromFhir, fact: text };
  }
  return undefined;
}

const recordPatterns: Partial<Record<FieldKind, RegExp>> = {
  id: /^(?!\.+$)[A-Za-z0-9._-]{1,64}$/,
  line: /^(?:(?![\v\f\u0085]).){1,250}$/u,
  text: /^[\s\S]{1,20000}$/u,
  uri: /^[A-Za-z][A-Za-z0-9+.-]*:[!-~]+$/,
  ucum: /^[!-~]{1,64}$/,
  e164: /^\+[1-9][0-9]{6,14}$/,
  'item-code': /^[A-Za-z0-9._-]{1,64}$/,
  code: /^[a-z0-9]+(-[a-z0-9]+)*$/,
};

function recordText(value: string | undefined, field: Field): string | undefined {
  const pattern = recordPatterns[field.kind];
  if (value === undefined || (field.enum && !field.enum.includes(value))) {
    return undefined;
  }
  return !field.enum && pattern && !pattern.test(value) ? undefined : value;
}

function matching(pattern: RegExp): (value: Json) => string | undefined {
  return (value) => {
    const trimmed = text(value);
    return trimmed !== undefined && pattern.test(trimmed) ? trimmed : undefined;
  };
}

function integerForm(fhirType: string): Form | undefined {
  const lowest = { integer: -2_147_483_648, unsignedInt: 0, positiveInt: 1, decimal: Number.MIN_SAFE_INTEGER }[
    fhirType
  ];
  if (lowest === undefined) {
    return undefined;
  }
  const whole = (value: Json): Json | undefined =>
    typeof value === 'number' && Number.isInteger(value) && value >= lowest && value <= 2_147_483_647
      ? value
      : undefined;
  return { toFhir: whole, fromFhir: whole, fact: number };
}

/** What comes back is within the bounds of the record's field. */
function inRange(form: Form | undefined, { min = -Infinity, max = Infinity }: Field): Form | undefined {
  return (
    form && {
      ...form,
      fromFhir: (value) => {
        const read = form.fromFhir(value);
        return typeof read === 'number' && read >= min && read <= max ? read : undefined;
      },
    }
  );
}

function bool(value: Json): Json | undefined {
  return typeof value === 'boolean' ? value : undefined;
}

function number(value: Json): Json | undefined {
  return typeof value === 'number' && Number.isFinite(value) ? value : undefined;
}

/** Servers take days that no calendar has; a record does not. */
function that(
  isValid: (text: string) => boolean,
  read: (value: Json) => string | undefined,
): (value: Json) => string | undefined {
  return (value) => {
    const found = read(value);
    return found !== undefined && isValid(found) ? found : undefined;
  };
}

function isTimeOfDay(time: string): boolean {
  return /^([01]\d|2[0-3]):[0-5]\d$/.test(time);
}

function dayOf(value: Json): string | undefined {
  return typeof value === 'string' && /^\d{4}-\d{2}-\d{2}(T|$)/.test(value) ? value.slice(0, 10) : undefined;
}

/** A time in UTC is on the day that it is where the reader is; one with an offset of its own says its day itself. */
function dayInZone(value: Json, timeZone: string): Json {
  const time = instant(value);
  if (time === undefined || !/(Z|[+-]00:00)$/.test(time)) return value;
  // A server that keeps every date as an instant pads a day with midnight in UTC, which is the day before west of Greenwich.
  if (/T00:00:00(\.0+)?(Z|[+-]00:00)$/.test(time)) return time.slice(0, 'yyyy-mm-dd'.length);
  return DateTime.fromISO(time, { zone: timeZone }).toISODate() ?? value;
}

function partialDate(value: Json): string | undefined {
  return typeof value === 'string' && /^\d{4}(-\d{2}(-\d{2}(T.*)?)?)?$/.test(value) ? value.slice(0, 10) : undefined;
}

function instant(value: Json): string | undefined {
  if (typeof value !== 'string' || exactInstant.test(value)) {
    return typeof value === 'string' ? value : undefined;
  }
  const upper = value.trim().toUpperCase();
  return exactInstant.test(upper) ? upper : undefined;
}

const exactInstant = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(\.\d+)?(Z|[+-]\d{2}:\d{2})$/;

/** Seconds in UTC: what is left when a server has changed zone or precision. */
function instantFact(value: Json): string | undefined {
  const exact = instant(value);
  const time = exact === undefined ? Number.NaN : Date.parse(exact.replace(/:60(\.\d+)?/, ':59'));
  return Number.isNaN(time) ? undefined : `${new Date(Math.floor(time / 1000) * 1000).toISOString().slice(0, 19)}Z`;
}

function withSeconds(value: Json): string | undefined {
  if (typeof value !== 'string' || !/^\d{2}:\d{2}(:\d{2}(\.\d+)?)?$/.test(value)) {
    return undefined;
  }
  return `${value.slice(0, 5)}:00`;
}

function withoutSeconds(value: Json): string | undefined {
  return withSeconds(value)?.slice(0, 5);
}

// The text formats of records that a pattern cannot tell: real calendar days, instants, languages, time zones.

import { IANAZone } from 'luxon';
import type { Json } from '../json.ts';

// Nobody in a record was born earlier; a year such as 0001 is a program's "nothing", not a date.
const firstYear = 1850;

const dateShape = /^\d{4}-\d{2}-\d{2}$/;
const monthShape = /^(\d{4})-(0[1-9]|1[0-2])$/;
const yearShape = /^\d{4}$/;
const languageAlone = /^[a-z]{2,3}$/;
const instantShape =
  /^(\d{4}-\d{2}-\d{2})T([01]\d|2[0-3]):[0-5]\d:[0-5]\d(?:\.\d{1,9})?(Z|[+-](?:0\d|1[0-3]):[0-5]\d|[+-]14:00)?$/;

/** `YYYY-MM-DD`, a day that exists, from 1850 on. */
export function isCalendarDate(text: string): boolean {
  if (!dateShape.test(text)) return false;
  const year = Number(text.slice(0, 4));
  const month = Number(text.slice(5, 7));
  const day = Number(text.slice(8));
  return year >= firstYear && month >= 1 && month <= 12 && day >= 1 && day <= daysIn(year, month);
}

/** `YYYY-MM-DD`, `YYYY-MM` or `YYYY`: a partial date is kept partial. */
export function isPartialDate(text: string): boolean {
  return (
    isCalendarDate(text) || ((monthShape.test(text) || yearShape.test(text)) && Number(text.slice(0, 4)) >= firstYear)
  );
}

/** RFC 3339 with offset, `Z`, or without either (then only the source's time zone makes it an instant). No leap second: JavaScript has none. */
export function isInstantOrLocal(text: string): boolean {
  const [, day] = instantShape.exec(text) ?? [];
  return day !== undefined && isCalendarDate(day);
}

/** FHIR's dateTime may be a day or a year only, and a server may hold what no calendar has; an instant that is offered to a source may not. */
export function isInstant(value: Json | undefined): value is string {
  return typeof value === 'string' && isInstantOrLocal(value) && !isLocalTime(value);
}

/** For a text that is an instant or a local time: true where the offset is missing. */
export function isLocalTime(text: string): boolean {
  const match = instantShape.exec(text);
  return match !== null && match[3] === undefined;
}

/** A language tag of BCP 47, such as `es` or `zh-Hant`. */
export function isLanguage(text: string): boolean {
  if (languageAlone.test(text)) return true;
  try {
    return Intl.getCanonicalLocales(text).length === 1;
  } catch {
    // RangeError is how the engine says that a tag is not well formed.
    return false;
  }
}

/** A time zone name of the IANA database, such as `America/New_York`. */
export function isTimeZone(text: string): boolean {
  return IANAZone.isValidZone(text);
}

function daysIn(year: number, month: number): number {
  if (month === 2) return year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0) ? 29 : 28;
  return month === 4 || month === 6 || month === 9 || month === 11 ? 30 : 31;
}

// Dates as an American reader writes them out, so that day and month cannot be mistaken for each other.

import { DateTime } from 'luxon';

/** `2026-03-02`, `2026-03` and `2026` as `Mar 2, 2026`, `Mar 2026 (day not known)` and `2026 (month and day not known)`. */
export function printDate(date: string): string {
  const parsed = DateTime.fromISO(date.slice(0, 10), { zone: 'UTC', locale: 'en-US' });
  if (!parsed.isValid) return date.slice(0, 10);
  if (date.length === 4) return `${date} (month and day not known)`;
  if (date.length === 7) return `${parsed.toFormat('LLL yyyy')} (day not known)`;
  return parsed.toFormat('LLL d, yyyy');
}

/** The day of an instant where the reader is. */
export function printDay(instant: string, timeZone: string): string {
  const local = inZone(instant, timeZone);
  return local.isValid ? local.toFormat('LLL d, yyyy') : printDate(instant);
}

/** Day, time and zone of an instant: `Mar 2, 2026, 10:15 AM EST`. */
export function printInstant(instant: string, timeZone: string): string {
  const local = inZone(instant, timeZone);
  return local.isValid ? local.toFormat('LLL d, yyyy, h:mm a ZZZZ') : instant;
}

/** The date, `YYYY-MM-DD`, that lies so many days after an instant or a date. */
export function dayAfter(start: string, days: number, timeZone: string): string | undefined {
  const from = start.length > 10 ? inZone(start, timeZone) : DateTime.fromISO(start, { zone: 'UTC' });
  return from.plus({ days }).toISODate() ?? undefined;
}

/** The date of an instant where the reader is, `YYYY-MM-DD`. */
export function dayOf(instant: string, timeZone: string): string {
  return inZone(instant, timeZone).toISODate() ?? instant.slice(0, 10);
}

function inZone(instant: string, timeZone: string): DateTime {
  const local = DateTime.fromISO(instant, { zone: timeZone, locale: 'en-US' });
  return local.isValid ? local : DateTime.fromISO(instant, { zone: 'UTC', locale: 'en-US' });
}

// Dates and times in the words of a language and the zone of the partner. Pure.

import type { PageLanguage } from '../config.ts';

const locales: Readonly<Record<PageLanguage, string>> = { en: 'en-US', es: 'es-US' };

export interface Times {
  /** An instant, in the zone, which it does not name. */
  instant(text: string): string;
  /** A calendar date as FHIR writes it: day, month or year. */
  date(text: string): string;
  /** What the zone is called. */
  readonly zoneName: string;
  /** What a language is called, by its code; words stay as they are. */
  language(code: string): string;
  /** For a field of a date and a time. */
  local(at: Date): string;
}

/** @param zone IANA name */
export function timesIn(language: PageLanguage, zone: string): Times {
  const locale = locales[language];
  const instant = new Intl.DateTimeFormat(locale, {
    dateStyle: 'medium',
    timeStyle: 'short',
    timeZone: zone,
  });
  const day = new Intl.DateTimeFormat(locale, { dateStyle: 'long', timeZone: 'UTC' });
  const names = new Intl.DisplayNames(locale, { type: 'language' });
  const zoneName =
    new Intl.DateTimeFormat(locale, { timeZone: zone, timeZoneName: 'longGeneric' })
      .formatToParts(0)
      .find(({ type }) => type === 'timeZoneName')?.value ?? zone;
  return {
    zoneName,
    language: (code) => (/^[a-z]{2,3}(-[A-Za-z0-9]+)*$/.test(code) ? (names.of(code) ?? code) : code),
    instant: (text) => (Number.isNaN(Date.parse(text)) ? text : instant.format(new Date(text))),
    date: (text) => (/^\d{4}-\d\d-\d\d/.test(text) ? day.format(new Date(text.slice(0, 10))) : text),
    local: (at) => {
      const parts = new Intl.DateTimeFormat('sv-SE', { dateStyle: 'short', timeStyle: 'short', timeZone: zone });
      return parts.format(at).replace(' ', 'T');
    },
  };
}

// Times as people read them, in a zone that the page names. Pure.

import { DateTime } from 'luxon';
import { type Html, html } from '../html/html.ts';

/** `10:15:03 EST`. */
export function clockTime(iso: string, zone: string): Html {
  return html`<time datetime="${iso}">${at(iso, zone).toFormat('HH:mm:ss ZZZZ')}</time>`;
}

/** `Wed 4 Feb 2026, 10:15 EST`. */
export function fullTime(iso: string, zone: string): Html {
  return html`<time datetime="${iso}">${at(iso, zone).toFormat('ccc d LLL yyyy, HH:mm ZZZZ')}</time>`;
}

/** `Wednesday 4 February 2026`: the day in the zone. */
export function dayOf(iso: string, zone: string): string {
  return at(iso, zone).toFormat('cccc d LLLL yyyy');
}

/** `in 3 h 12 min`, or `2 days 4 h ago`. */
export function fromNow(iso: string, now: string): string {
  const ms = Date.parse(iso) - Date.parse(now);
  const length = lengthOf(Math.abs(ms));
  return ms < 0 ? `${length} ago` : `in ${length}`;
}

function lengthOf(ms: number): string {
  const minutes = Math.floor(ms / 60_000);
  const hours = Math.floor(minutes / 60);
  const days = Math.floor(hours / 24);
  if (minutes < 1) return 'less than a minute';
  if (hours < 1) return `${minutes} min`;
  if (days < 1) return `${hours} h ${minutes % 60} min`;
  return `${days} ${days === 1 ? 'day' : 'days'} ${hours % 24} h`;
}

function at(iso: string, zone: string): DateTime {
  return DateTime.fromISO(iso, { zone, locale: 'en-US' });
}

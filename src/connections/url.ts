// The URL of a request: base address, path and query, encoded so that no id or value can leave its place.

import { CasebridgeError } from '../errors.ts';

export type Query = Readonly<Record<string, string | readonly string[]>>;

/**
 * `path` is relative to the base, '' the base itself; a list in the query repeats its parameter.
 * @throws CasebridgeError 'connection-path-invalid' for a segment '.' or '..', which no URL can carry
 */
export function requestUrl(baseUrl: URL, path: string, query: Query = {}): URL {
  const segments = path === '' ? [] : path.split('/');
  if (segments.some((segment) => segment === '.' || segment === '..')) {
    throw new CasebridgeError('connection-path-invalid', { host: baseUrl.host });
  }
  const url = new URL(baseUrl.href);
  url.pathname = [url.pathname.replace(/\/$/, ''), ...segments.map(encodeSegment)].join('/');
  url.search = Object.entries(query)
    .flatMap(([name, values]) => [values].flat().map((value) => `${encode(name)}=${encode(value)}`))
    .join('&');
  return url;
}

/** `$` stays, for the names of operations. */
function encodeSegment(segment: string): string {
  return encode(segment).replaceAll('%24', '$');
}

function encode(text: string): string {
  return encodeURIComponent(text.toWellFormed());
}

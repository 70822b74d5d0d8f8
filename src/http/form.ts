// Forms of pages: their fields as texts, and cookies.

import type { Request } from 'express';
import { CasebridgeError } from '../errors.ts';
import { readBody } from './body.ts';
import type { Call } from './route.ts';

export const formType = 'application/x-www-form-urlencoded';

const formBytes = 20_000;

/**
 * The fields of a form; of a field that is absent or empty there is no text.
 * @throws CasebridgeError `form-refused` for fields that the form does not have or has twice, and for text that is no text; those of `readBody`
 */
export async function readForm<Name extends string>(
  { request, limits }: Call,
  names: readonly Name[],
): Promise<Partial<Record<Name, string>>> {
  const body = await readBody(request, { ...limits, bodyBytes: formBytes });
  const fields: Partial<Record<Name, string>> = {};
  for (const [given, value] of new URLSearchParams(body.toString('utf8'))) {
    const name = names.find((known) => known === given);
    if (name === undefined || fields[name] !== undefined || !isText(value)) throw new CasebridgeError('form-refused');
    if (value !== '') fields[name] = value.replaceAll('\r\n', '\n');
  }
  return fields;
}

/** No control characters but tabs and line ends, and nothing that was no UTF-8. */
function isText(value: string): boolean {
  return !/[^\P{Cc}\t\n\r]|\ufffd/u.test(value);
}

/** The value of a cookie; undefined where it is absent or looks like none of ours. */
export function cookieOf(request: Request, name: string): string | undefined {
  const found = (request.headers.cookie ?? '').split(/; */).find((pair) => pair.startsWith(`${name}=`));
  const value = found?.slice(name.length + 1);
  return value !== undefined && /^[A-Za-z0-9_-]{43}$/.test(value) ? value : undefined;
}

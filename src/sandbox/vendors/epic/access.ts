// Who may ask: 401 and 403 in the vendor's two ways of saying nothing (E7, E8).

import type { Action } from '../../engine/engine.ts';
import type { SandboxRequest } from '../../exchange.ts';
import { everyRight, type Rights } from './grants.ts';
import { BareRefusal, refused } from './outcome.ts';
import { type EpicSettings, hasQuirk } from './settings.ts';
import type { EpicTokens } from './tokens.ts';

/** @throws BareRefusal 401 without a token that is good */
export function rightsFor(request: SandboxRequest, settings: EpicSettings, tokens: EpicTokens): Rights {
  if (settings.auth === 'none') return everyRight;
  const [scheme, token = ''] = (request.headers.authorization ?? '').split(' ');
  const rights = scheme === 'Bearer' ? tokens.rightsOf(token) : undefined;
  if (rights !== undefined) return rights;
  if (!hasQuirk(settings, 'E7')) throw refused(401, '4118', 'The token is unknown or has expired.');
  const headers = { 'www-authenticate': 'Bearer error="invalid_token"', 'content-type': 'application/json' };
  throw new BareRefusal({ status: 401, headers, body: '""' });
}

/** @throws BareRefusal 403 for what is not granted */
export function checkRights(
  rights: Rights,
  settings: EpicSettings,
  { type, action }: { type: string; action: Action },
): void {
  if (rights.may(type, action)) return;
  throw notGranted(settings);
}

/** For a type, an action or a part of a type that the token does not cover. */
export function notGranted(settings: EpicSettings): Error {
  if (!hasQuirk(settings, 'E8')) return refused(403, '4118', 'The client has no such API.');
  return new BareRefusal({ status: 403, headers: { 'www-authenticate': 'Bearer error="insufficient_scope"' } });
}

// Who calls and what they may see: a source writes and sees its own records; an operator reads all and never writes records.

import { createHash, timingSafeEqual } from 'node:crypto';
import type { Request } from 'express';
import { sharedRate } from '../access/access.ts';
import type { Config, OperatorConfig, SourceConfig } from '../config.ts';
import { CasebridgeError } from '../errors.ts';
import { callerNetwork } from './caller.ts';
import type { GatewayApi } from './gateway-api.ts';
import type { Access, Call, HttpLimits } from './route.ts';

export type Principal =
  | { readonly kind: 'source'; readonly name: string; readonly source: SourceConfig }
  | { readonly kind: 'operator'; readonly name: string; readonly operator: OperatorConfig };

/**
 * Reads `Authorization: Bearer <token>`; undefined for one that is not configured. Every configured token is compared, in constant time, so that the time
 * taken says nothing.
 * @throws CasebridgeError `token-missing`
 */
function principalFinder(config: Config): (authorization: string | undefined) => Principal | undefined {
  const known = [...config.sources.values()].map((source) => entry(source.token, sourcePrincipal(source)));
  known.push(...[...config.operators.values()].map((operator) => entry(operator.token, operatorPrincipal(operator))));
  return (authorization) => {
    const token = /^bearer +(\S+) *$/i.exec(authorization ?? '')?.[1];
    if (token === undefined) throw new CasebridgeError('token-missing');
    const hash = hashOf(token);
    const [match] = known.filter((one) => timingSafeEqual(one.hash, hash));
    return match?.principal;
  };
}

/** The same, for what counts its callers itself. @throws CasebridgeError `token-missing`, `token-unknown` */
export function principalReader(config: Config): (authorization: string | undefined) => Principal {
  const find = principalFinder(config);
  return (authorization) => {
    const principal = find(authorization);
    if (principal === undefined) throw new CasebridgeError('token-unknown');
    return principal;
  };
}

/** That are remembered of each process; the one that came first is forgotten first. */
const mostAcquaintances = 10_000;

/**
 * Who calls with a token. A network that has shown too many wrong ones is told to wait, whatever it shows next, or a guess that hits would be told by its
 * answer. Who was let in from there before is let in all the same: nobody else can keep them out.
 * @throws CasebridgeError `token-missing`, `token-unknown`, `token-too-often`
 */
export function callerReader(
  { config, store }: Pick<GatewayApi, 'config' | 'store'>,
  { wrongTokensPerMinute }: Pick<HttpLimits, 'wrongTokensPerMinute'>,
): (request: Request) => Promise<Principal> {
  const find = principalFinder(config);
  const wrong = sharedRate(store, 'token-unknown', wrongTokensPerMinute);
  const acquaintances = new Set<string>();
  return async (request) => {
    const network = callerNetwork(request, config.server.behindProxy ?? false);
    const principal = find(request.headers.authorization);
    if (principal === undefined) {
      refuseFor(await wrong.take(network));
      throw new CasebridgeError('token-unknown');
    }
    const acquaintance = `${principal.kind} ${principal.name} ${network}`;
    if (acquaintances.has(acquaintance)) return principal;
    refuseFor(await wrong.wait(network));
    acquaintances.add(acquaintance);
    const [first] = acquaintances;
    if (acquaintances.size > mostAcquaintances && first !== undefined) acquaintances.delete(first);
    return principal;
  };
}

/** @throws CasebridgeError `operators-only`, `operator-cannot-write`, `permission-missing` */
export function checkAccess(access: Exclude<Access, 'anyone' | 'console'>, principal: Principal): void {
  if (principal.kind === 'source') {
    if (!access.source) throw new CasebridgeError('operators-only');
    return;
  }
  if (!access.operator) throw new CasebridgeError('operator-cannot-write');
  if (!principal.operator.may.includes(access.operator)) {
    throw new CasebridgeError('permission-missing', { operator: principal.name, permission: access.operator });
  }
}

/**
 * Whose records a call addresses: the source's own, or the one that an operator names.
 * @throws CasebridgeError `source-needed`, `source-unknown` (another source's too: it is none of the caller's business)
 */
export function addressedSource(call: Call): string {
  const source = visibleSource(call);
  if (source === undefined) throw new CasebridgeError('source-needed');
  return source;
}

/** Whose rows a list may show; undefined: all. @throws CasebridgeError `source-unknown` */
export function visibleSource({ gateway, principal, query }: Call): string | undefined {
  const own = principal?.kind === 'source' ? principal.source.id : undefined;
  const asked = query.source;
  const isUnknown = asked !== undefined && !gateway.config.sources.has(asked);
  if (isUnknown || (own !== undefined && asked !== undefined && asked !== own))
    throw new CasebridgeError('source-unknown');
  return own ?? asked;
}

function refuseFor(seconds: number | undefined): void {
  if (seconds !== undefined) throw new CasebridgeError('token-too-often', { seconds });
}

function sourcePrincipal(source: SourceConfig): Principal {
  return { kind: 'source', name: source.id, source };
}

function operatorPrincipal(operator: OperatorConfig): Principal {
  return { kind: 'operator', name: operator.name, operator };
}

function entry(token: string, principal: Principal): { hash: Buffer; principal: Principal } {
  return { hash: hashOf(token), principal };
}

function hashOf(token: string): Buffer {
  return createHash('sha256').update(token).digest();
}

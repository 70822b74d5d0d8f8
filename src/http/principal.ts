// Who calls and what they may see: a source writes and sees its own records; an operator reads all and never writes records.

import { createHash, timingSafeEqual } from 'node:crypto';
import type { Config, OperatorConfig, SourceConfig } from '../config.ts';
import { CasebridgeError } from '../errors.ts';
import type { Access, Call } from './route.ts';

export type Principal =
  | { readonly kind: 'source'; readonly name: string; readonly source: SourceConfig }
  | { readonly kind: 'operator'; readonly name: string; readonly operator: OperatorConfig };

/**
 * Reads `Authorization: Bearer <token>`. Every configured token is compared, in constant time, so that the time taken says nothing.
 * @throws CasebridgeError `token-missing`, `token-unknown`
 */
export function principalReader(config: Config): (authorization: string | undefined) => Principal {
  const known = [...config.sources.values()].map((source) => entry(source.token, sourcePrincipal(source)));
  known.push(...[...config.operators.values()].map((operator) => entry(operator.token, operatorPrincipal(operator))));
  return (authorization) => {
    const token = /^bearer +(\S+) *$/i.exec(authorization ?? '')?.[1];
    if (token === undefined) throw new CasebridgeError('token-missing');
    const hash = hashOf(token);
    const [match] = known.filter((one) => timingSafeEqual(one.hash, hash));
    if (!match) throw new CasebridgeError('token-unknown');
    return match.principal;
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

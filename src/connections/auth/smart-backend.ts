// SMART Backend Services: a token by a signed assertion or a secret, kept, renewed before it ends, and asked for once however many wait for it.
// SMART App Launch 2.2 backend-services.html; ehr-behaviour section 2 and pitfalls 4, 5, 13.

import type { AuthConfig } from '../../config.ts';
import { errorKinds, type Reason } from '../../errors.ts';
import type { Fault } from '../faults.ts';
import { makeFault } from '../faults.ts';
import type { Auth, AuthParts } from './auth.ts';
import { findTokenEndpoint } from './discovery.ts';
import { requestToken, type TokenReply } from './token-request.ts';
import { wantedScopes } from './wanted-scopes.ts';

export type SmartConfig = Extract<AuthConfig, { type: 'smart-backend' | 'smart-basic' }>;

interface Token {
  readonly authorization: string;
  /** Epoch ms. */
  readonly renewAt: number;
}

/** The share of its life after which a token is renewed, so that it does not end in the middle of a paging. */
const renewAfter = 0.8;
/** How often a process looks whether another one is done asking. */
const lookAgainMs = 100;

export function smartBackend(config: SmartConfig, parts: AuthParts): Auth {
  let token: Token | undefined;
  let renewal: Promise<Token | Fault> | undefined;
  let endpoint: URL | undefined;
  let granted: readonly string[] | undefined;

  /** In its turn, so that a server that refuses us is asked once for all processes. */
  async function renew(): Promise<Token | Fault> {
    const { budget, time, baseUrl } = parts;
    try {
      let claim = await budget.claimToken();
      while (claim === 'taken') {
        await new Promise<void>((done) => time.later(done, lookAgainMs));
        claim = await budget.claimToken();
      }
      if (claim !== 'yours') {
        const { refused } = claim;
        return { fault: 'auth', sent: false, text: refused.text, reason: refused };
      }
      const renewed = await askForToken();
      await budget.afterToken('fault' in renewed ? refusalOf(renewed) : undefined);
      return renewed;
    } catch {
      // The budget could not be reached; whoever keeps it tells of that.
      return makeFault('aborted', false, 'connection-aborted', { host: baseUrl.host });
    }
  }

  async function askForToken(): Promise<Token | Fault> {
    const found = endpoint ?? (await findTokenEndpoint(parts));
    if ('fault' in found) {
      return found;
    }
    const reply = await usableToken(found);
    if ('fault' in reply) {
      // The endpoint may have moved: it is looked up again next time.
      endpoint = undefined;
      return reply;
    }
    endpoint = found;
    // A reply without scopes grants what was asked for (RFC 6749 section 5.1).
    granted = reply.scopes ?? wantedScopes(config);
    token = {
      authorization: `Bearer ${reply.accessToken}`,
      renewAt: parts.now() + reply.lifeSeconds * 1000 * renewAfter,
    };
    return token;
  }

  /** A token that is over on arrival is asked for once more: a server that cached it gives a fresh one then. */
  async function usableToken(url: URL): Promise<TokenReply | Fault> {
    const first = await requestToken(config, url, parts);
    const reply = 'fault' in first || first.lifeSeconds > 0 ? first : await requestToken(config, url, parts);
    if ('fault' in reply || reply.lifeSeconds > 0) {
      return reply;
    }
    return makeFault('auth', false, 'connection-token-over', { host: url.host, seconds: reply.lifeSeconds });
  }

  return {
    async credentials() {
      if (token !== undefined && parts.now() < token.renewAt) {
        return { authorization: token.authorization };
      }
      renewal ??= renew().finally(() => {
        renewal = undefined;
      });
      const renewed = await renewal;
      return 'fault' in renewed ? renewed : { authorization: renewed.authorization };
    },
    forget(authorization) {
      if (token?.authorization === authorization) {
        token = undefined;
      }
      return authorization !== undefined;
    },
    scopes: () => granted,
  };
}

/** What only a change of the configuration, ours or theirs, can mend. */
function refusalOf({ fault, reason }: Fault): Reason | undefined {
  return fault === 'auth' && reason !== undefined && errorKinds[reason.code].class === 'config' ? reason : undefined;
}

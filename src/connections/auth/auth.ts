// How we prove to a server who we are. The client asks for credentials before each request and says when they were refused.

import type { AuthConfig } from '../../config.ts';
import type { Budget } from '../budget.ts';
import type { MachineTime } from '../deadline.ts';
import type { Exchanger } from '../exchange.ts';
import type { Fault } from '../faults.ts';
import { smartBackend } from './smart-backend.ts';

export interface Credentials {
  /** Value of the Authorization header; absent: none is sent. */
  readonly authorization?: string;
}

export interface Auth {
  /** Never throws. */
  credentials(): Promise<Credentials | Fault>;
  /** The server refused these credentials. True when other ones can be had, so that asking again makes sense. */
  forget(authorization: string | undefined): boolean;
  /** What the server granted, as it said it; undefined: this auth knows no scopes, or has no token yet. */
  scopes(): readonly string[] | undefined;
}

export interface AuthParts {
  readonly baseUrl: URL;
  readonly exchanger: Exchanger;
  readonly budget: Pick<Budget, 'claimToken' | 'afterToken'>;
  readonly time: Pick<MachineTime, 'later'>;
  /** Epoch ms. */
  readonly now: () => number;
}

export function createAuth(config: AuthConfig, parts: AuthParts): Auth {
  switch (config.type) {
    case 'none':
      return noAuth;
    case 'bearer':
      return fixed({ authorization: `Bearer ${config.token}` });
    case 'basic':
      return fixed({ authorization: `Basic ${Buffer.from(`${config.user}:${config.password}`).toString('base64')}` });
    case 'smart-backend':
    case 'smart-basic':
      return smartBackend(config, parts);
    default:
      return config satisfies never;
  }
}

export const noAuth = fixed({});

function fixed(credentials: Credentials): Auth {
  return { credentials: async () => credentials, forget: () => false, scopes: () => undefined };
}

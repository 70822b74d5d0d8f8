// What a connection asks for, in the spelling that its server takes.

import type { AuthConfig } from '../../config.ts';
import { spellScopes } from '../scopes.ts';

/** Empty where this auth knows no scopes, or leaves them to the client's registration. */
export function wantedScopes(config: AuthConfig): string[] {
  const hasScopes = config.type === 'smart-backend' || config.type === 'smart-basic';
  return hasScopes ? spellScopes(config.scopes, config.scopeVersion ?? 'v2') : [];
}

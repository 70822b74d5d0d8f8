// The token endpoint as the vendor's differs from the specification's (C1): exact scopes in the accepted spelling, the others silently
// dropped, errors with a URI that holds the reason as a URN, and an id for the support desk in each answer.

import { randomUUID } from 'node:crypto';
import { type Reply, SandboxRequest } from '../../exchange.ts';
import type { TokenAuthority } from '../../tokens/authority.ts';
import type { OracleSettings } from './settings.ts';

/** @param tokenUrl the audience of assertions; @param tenant named in error URIs */
export async function answerToken(
  authority: TokenAuthority,
  request: SandboxRequest,
  settings: Pick<OracleSettings, 'tokenSeconds' | 'scopeSpelling'>,
  tokenUrl: string,
  tenant: string,
): Promise<Reply> {
  const correlation = randomUUID();
  const { form, asked } = readScopes(request);
  const usable = asked.filter((scope) => isExact(scope, settings.scopeSpelling));
  form.set('scope', usable.join(' '));
  const narrowed = new SandboxRequest(request.method, request.url, request.headers, form.toString());
  const isForm = request.mediaType === 'application/x-www-form-urlencoded';
  const reply = await authority.answer(isForm ? narrowed : request, tokenUrl, settings.tokenSeconds);
  const headers = { ...reply.headers, 'cerner-correlation-id': correlation };
  if (reply.status === 200) return { ...reply, headers };
  const { error } = JSON.parse(String(reply.body));
  const reason = error === 'invalid_scope' ? (asked.length > 0 ? 'empty-scopes' : 'missing-scope') : reasons[error];
  const urn = `urn:cerner:error:authorization-server:oauth2:token:${reason ?? 'unspecified-error'}`;
  const uri = `${request.url.origin}/oracle/errors/${encodeURIComponent(urn)}/instances/${correlation}?tenant=${tenant}`;
  return { ...reply, headers, body: JSON.stringify({ error, error_uri: uri }) };
}

const reasons: Readonly<Record<string, string>> = {
  invalid_client: 'invalid-client',
  invalid_request: 'invalid-request',
  unsupported_grant_type: 'unsupported-grant-type',
};

function readScopes(request: SandboxRequest): { form: URLSearchParams; asked: string[] } {
  const form = new URLSearchParams(request.text);
  return { form, asked: (form.get('scope') ?? '').split(/\s+/).filter(Boolean) };
}

/** Without wildcards, and in a spelling that the tenant takes. */
function isExact(scope: string, spelling: OracleSettings['scopeSpelling']): boolean {
  if (scope.includes('*')) return false;
  const isVersion1 = /\.(read|write)$/.test(scope);
  return spelling === 'both' || (spelling === 'v1') === isVersion1;
}

// Whether a type may be asked for: what the server declares, and what its token allows.

import { type Capabilities, parseScope } from '../../connections/connections.ts';
import { type ErrorCode, type Reason, reason } from '../../errors.ts';
import type { Store } from '../../store/store.ts';

/** What keeps a poll from reading anything until somebody changes a grant, the server or the configuration. */
export const notAskedCodes = [
  'route-not-declared',
  'route-scopes-missing',
  'poll-not-offered',
  'poll-patient-needed',
] as const satisfies readonly ErrorCode[];

/** Why the type cannot be searched; undefined: it can, or only the attempt can tell. */
export async function mayPoll(
  { db }: Pick<Store, 'db'>,
  connection: string,
  resourceType: string,
  { interactions }: Pick<Capabilities, 'interactions'>,
): Promise<Reason | undefined> {
  if (!(interactions[resourceType] ?? []).includes('search-type'))
    return reason('route-not-declared', { resourceType, missing: 'search' });
  const row = await db.selectFrom('connection').select('capabilities').where('id', '=', connection).executeTakeFirst();
  const granted = row?.capabilities?.granted;
  if (!Array.isArray(granted)) return undefined;
  return granted.some((scope) => typeof scope === 'string' && allowsSearch(scope, resourceType))
    ? undefined
    : reason('route-scopes-missing', { resourceType, missing: 'search' });
}

/** A grant that is limited to a part of the type lets that part be searched. */
function allowsSearch(scope: string, resourceType: string): boolean {
  const parsed = parseScope(scope);
  return (parsed?.resourceType === resourceType || parsed?.resourceType === '*') && parsed.actions.has('search');
}

// Who looked at or changed what: of a partner's resources, or an operator of a case, a record or a plan, on the console or by the API. Ids only, never what they say.

import type { Transaction } from 'kysely';
import type { Database, Store } from '../store/store.ts';

/** Who acts. */
export interface Actor {
  /** `client`: the partner's system; `contact`: a person of it, on the partner page; `operator`: on the console or by the API. */
  readonly kind: 'client' | 'contact' | 'operator';
  /** The client's id, an id of the contact that is no address, or the operator's name. */
  readonly id: string;
  /** How the person is named to others. */
  readonly name?: string;
  /** Of the HTTP request, as the log has it. */
  readonly requestId?: string;
}

export interface AuditEntry {
  /** Null: of none, an operator looks. */
  readonly partner: string | null;
  readonly by: Actor;
  /** `read`, `search`, `create`, `update`, … */
  readonly action: string;
  readonly resourceType: string;
  readonly ids: readonly string[];
  /** `done`, or the code of what stood in the way. */
  readonly outcome: string;
}

export function actorName({ kind, id }: Actor): string {
  return `${kind}:${id}`;
}

/** One row for each resource; one without an id where none was shown. */
export async function keepAudit(db: Store['db'] | Transaction<Database>, entry: AuditEntry): Promise<void> {
  const { partner, by, action, resourceType, ids, outcome } = entry;
  const shared = { partner, actor: actorName(by), action, resource_type: resourceType, outcome };
  const rows = (ids.length === 0 ? [null] : ids).map((resource_id) => ({
    ...shared,
    resource_id,
    request_id: by.requestId ?? null,
  }));
  for (let start = 0; start < rows.length; start += rowsAtOnce) {
    await db
      .insertInto('audit')
      .values(rows.slice(start, start + rowsAtOnce))
      .execute();
  }
}

/** A statement takes 65,535 values. */
const rowsAtOnce = 1_000;

// Operators who have signed in on the console. The browser keeps a random secret, the store only its hash. A session ends when it is not used for a
// while, after some hours, at sign-out, and when its operator's token is changed or taken out of the configuration.

import { createHash, randomBytes, timingSafeEqual } from 'node:crypto';
import type { OperatorConfig } from '../config.ts';
import { type Store, sql } from '../store/store.ts';

export const sessionMinutes = { unused: 30, whole: 8 * 60 } as const;

/** @returns the secret for the browser. */
export async function beginSession({ db }: Store, operator: OperatorConfig): Promise<string> {
  const secret = newSecret();
  await db
    .deleteFrom('operator_session')
    .where((is) => is.not(isAlive))
    .execute();
  await db
    .insertInto('operator_session')
    .values({ hash: hashOf('session', secret), operator: operator.name, token_hash: hashOf(secret, operator.token) })
    .execute();
  return secret;
}

/** Who has signed in with this secret, which counts as a use of the session; undefined: nobody, or it is over. */
export async function sessionOperator(
  { db }: Store,
  operators: ReadonlyMap<string, OperatorConfig>,
  secret: string,
): Promise<OperatorConfig | undefined> {
  const row = await db
    .updateTable('operator_session')
    .set({ used_at: sql<Date>`now()` })
    .where('hash', '=', hashOf('session', secret))
    .where(isAlive)
    .returning(['operator', 'token_hash'])
    .executeTakeFirst();
  const operator = row && operators.get(row.operator);
  return operator && isSame(row.token_hash, hashOf(secret, operator.token)) ? operator : undefined;
}

export async function endSession({ db }: Store, secret: string): Promise<void> {
  await db.deleteFrom('operator_session').where('hash', '=', hashOf('session', secret)).execute();
}

const isAlive = sql<boolean>`(used_at > now() - ${sessionMinutes.unused} * interval '1 minute'
  and begun_at > now() - ${sessionMinutes.whole} * interval '1 minute')`;

/** 256 bits, as text for a cookie. */
export function newSecret(): string {
  return randomBytes(32).toString('base64url');
}

/** What a form carries that only a page of the holder of this secret can know. */
export function formToken(secret: string): string {
  return hashOf('form', secret);
}

export function isFormToken(secret: string, token: string): boolean {
  return isSame(formToken(secret), token);
}

function hashOf(...parts: readonly string[]): string {
  return createHash('sha256').update(JSON.stringify(parts)).digest('base64url');
}

/** In constant time. */
function isSame(one: string, other: string): boolean {
  const [a, b] = [hashOf(one), hashOf(other)].map((text) => Buffer.from(text));
  return a !== undefined && b !== undefined && timingSafeEqual(a, b);
}

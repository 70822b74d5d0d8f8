// What PostgreSQL says when it refuses a statement, without the values: its own errors quote rows and parameters, and errors end
// in logs.

import type { PostgresPoolClient, PostgresQueryResult } from 'kysely';

/** A statement was refused. `code` is the SQLSTATE (PostgreSQL manual, appendix A). */
export class DatabaseError extends Error {
  readonly code: string;
  readonly table: string | undefined;
  readonly constraint: string | undefined;

  constructor(code: string, message: string, place: { table?: string; constraint?: string }) {
    super(message);
    this.name = 'DatabaseError';
    this.code = code;
    this.table = place.table;
    this.constraint = place.constraint;
  }
}

/** The client with `DatabaseError` in place of the driver's errors. */
export function withoutContent(client: PostgresPoolClient): PostgresPoolClient {
  function query<R>(text: string, values: readonly unknown[]): Promise<PostgresQueryResult<R>>;
  function query(): never;
  function query(text?: string, values?: readonly unknown[]): unknown {
    if (text === undefined || values === undefined) throw new Error('Cursors are not offered: read in pages.');
    return client.query(text, values).catch((error: unknown) => {
      throw contentFree(error);
    });
  }
  return { query, release: (destroy) => client.release(destroy) };
}

// Data exceptions are the one class whose message quotes the value.
const dataException = /^22/;

function contentFree(error: unknown): unknown {
  if (!(error instanceof Error) || !('code' in error) || !('severity' in error)) return error;
  const code = String(error.code);
  const message = dataException.test(code) ? 'A value does not fit its column or function' : error.message;
  return new DatabaseError(code, `${message} (${code})`, {
    table: textOf(error, 'table'),
    constraint: textOf(error, 'constraint'),
  });
}

function textOf(error: object, name: string): string | undefined {
  const value: unknown = Reflect.get(error, name);
  return typeof value === 'string' ? value : undefined;
}

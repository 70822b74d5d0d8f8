// The database's clock in a simulation: functions of our own that PostgreSQL finds before its own `now()`, in statements and column defaults alike.

/** Where tables are made and found; `sim` before `pg_catalog`, which would be looked at first if it were not named. */
export const searchPath = 'casebridge, sim, pg_catalog';

export const clockSql = `
create schema sim;
create function sim.now() returns timestamptz stable language sql
  as $$ select pg_catalog.current_setting('sim.now')::timestamptz $$;
create function sim.clock_timestamp() returns timestamptz stable language sql
  as $$ select pg_catalog.current_setting('sim.now')::timestamptz $$;
set sim.now = '2026-01-01T00:00:00Z'`;

export const setClockSql = `select pg_catalog.set_config('sim.now', $1, false)`;

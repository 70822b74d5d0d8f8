// How often callers may try to get in, over all processes: a row for each that has tried within the last minute.

export const sql = `
create table caller_rate (
  key   text primary key,
  until timestamptz not null
);
create index caller_rate_by_until on caller_rate (until);
`;

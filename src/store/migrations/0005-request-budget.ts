// What a connection may spend, shared by all processes. Changed with almost every block of requests, so it is a table of its own: nothing else
// locks its rows (lanes.md 7).

export const sql = `
create table budget (
  connection   text primary key,
  version      bigint not null default 0,
  state        jsonb not null,
  rest_until   timestamptz,
  failing      boolean not null default false,
  urgent_until timestamptz,
  reason       jsonb,
  told         jsonb not null
);
`;

// Patients of an operator's list who are named by a number, until the server says who they are.

export const sql = `
create table roster_sought (
  connection text not null,
  system     text not null,
  value      text not null,
  patient    text,
  reason     jsonb,
  next_at    timestamptz not null default now(),
  primary key (connection, system, value)
);
create index roster_sought_next on roster_sought (connection, next_at) where patient is null;
`;

// The readable document of a case is a series of editions (lanes.md 12); each one that a server holds has a row.

export const sql = `
create table edition (
  connection text not null,
  source     text not null,
  type       text not null,
  id         text not null,
  slot       text not null,
  edition    integer not null,
  remote_id  text not null,
  facts      jsonb not null,
  records    jsonb not null,
  retracts   boolean not null default false,
  encounter  text,
  as_of      timestamptz not null,
  sent_at    timestamptz not null default now(),
  primary key (connection, source, type, id, slot, edition)
);

alter table connection add column documents_held_until timestamptz, add column mode text;
`;

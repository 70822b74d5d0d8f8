// What operators do: replays, lanes that a person has stopped, versions that were set aside, connections that are drained; and what stops by
// itself until a person decides: changes in masses, elements that a server keeps putting back (lanes.md 14, 22).

export const sql = `
alter table connection
  add column draining_since timestamptz,
  add column draining_by    text;

alter table lane
  add column stopped jsonb,
  add column basis   jsonb;
create index lane_parked on lane (connection) where parked is not null or stopped is not null;
-- Lanes that have run did so under the mapping that is active now, before a newer one comes with this program.
update lane l set basis = jsonb_build_object('mapping', m.version, 'at', now()) from mapping m where m.active and l.done > 0;

alter table link add column set_aside jsonb;

create table replay (
  id         bigint generated always as identity primary key,
  scope      jsonb not null,
  dry_run    boolean not null default false,
  state      text not null default 'running',
  asked_by   text not null,
  asked      integer not null default 0,
  created_at timestamptz not null default now(),
  ended_at   timestamptz
);
create index replay_running on replay (id) where state = 'running';

create table replay_item (
  replay     bigint not null,
  connection text not null,
  subject    text not null,
  wanted     bigint,
  asked_at   timestamptz,
  outcome    text,
  reason     jsonb,
  writes     integer not null default 0,
  plan       jsonb,
  primary key (replay, connection, subject)
);
create index replay_item_open on replay_item (replay, connection, subject) where outcome is null;

create table mass_change (
  connection  text not null,
  cause       text not null,
  value       text not null,
  links       integer not null,
  let_through integer not null default 0,
  held        integer not null default 0,
  state       text not null default 'counting',
  primary key (connection, cause, value)
);

create table mass_change_link (
  connection text not null,
  cause      text not null,
  value      text not null,
  source     text not null,
  type       text not null,
  id         text not null,
  slot       text not null,
  subject    text not null,
  held       boolean not null default false,
  primary key (connection, cause, value, source, type, id, slot)
);

create table revert (
  connection text not null,
  source     text not null,
  type       text not null,
  id         text not null,
  slot       text not null,
  element    text not null,
  value_hash text not null,
  times      integer not null default 1,
  since      timestamptz not null default now(),
  primary key (connection, source, type, id, slot, element)
);
`;

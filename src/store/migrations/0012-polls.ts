// Polls by patient, staggered and in tiers; who is asked about beside the linked patients; what of an answer could not be read; whom a hook has heard
// from. A resource that was seen keeps about which patient it is, how it came, and since when it waits to be taken up because no record of ours has a
// link to it.

export const sql = `
alter table poll
  add column about    text not null default '',
  add column tier     integer not null default 0,
  add column full_at  timestamptz,
  add column woken_at timestamptz,
  add column last_ms  integer;
alter table poll drop constraint poll_pkey;
alter table poll add primary key (connection, resource_type, about);
drop index poll_due;
create index poll_by_tier on poll (connection, tier, next_at);
create index poll_by_time on poll (connection, next_at);
create index poll_of_patient on poll (connection, about);

create table roster (
  connection text not null,
  patient    text not null,
  origin     text not null check (origin in ('group', 'uploaded', 'referred')),
  since      timestamptz not null default now(),
  primary key (connection, patient, origin)
);

create table poll_unreadable (
  connection    text not null,
  resource_type text not null,
  about         text not null,
  key           text not null,
  reason        jsonb not null,
  first_at      timestamptz not null default now(),
  last_at       timestamptz not null default now(),
  primary key (connection, resource_type, about, key)
);

create table subscription (
  connection    text not null,
  id            text not null,
  topic         text,
  status        text not null,
  last_heard_at timestamptz not null default now(),
  ends_at       timestamptz,
  events        bigint not null default 0,
  primary key (connection, id)
);

alter table seen
  add column patient      text,
  add column origin       text not null default 'run' check (origin in ('run', 'poll', 'adt')),
  add column news_since   timestamptz,
  add column absent_since timestamptz;
create index seen_by_identifier on seen using gin ((body -> 'identifier') jsonb_path_ops) where resource_type = 'Patient';
create index seen_of_patient on seen (connection, patient) where patient is not null;
create index seen_news on seen (news_since) where news_since is not null;
`;

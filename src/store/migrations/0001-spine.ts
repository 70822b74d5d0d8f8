// The first schema: records and versions, lanes, links, operations, and what was seen on the other side.
// Instants of ours are database time (lanes.md 5); `updated_at` of a record is the source's own.

export const sql = `
create table identity (
  name  text primary key,
  value text not null
);

create table record (
  source      text not null,
  type        text not null,
  id          text not null,
  version     integer not null,
  updated_at  timestamptz not null,
  content     jsonb not null,
  hash        text not null,
  deleted     boolean not null default false,
  client_id   text,
  case_id     text,
  subject     text not null,
  accepted_at timestamptz not null default now(),
  primary key (source, type, id)
);
create index record_by_subject on record (subject, type);
create index record_by_client on record (source, client_id, type);

create table record_version (
  source      text not null,
  type        text not null,
  id          text not null,
  version     integer not null,
  updated_at  timestamptz not null,
  content     jsonb not null,
  hash        text not null,
  accepted_at timestamptz not null default now(),
  primary key (source, type, id, version)
);
create index record_version_by_hash on record_version (source, type, id, hash);

create table stale_record (
  source      text not null,
  type        text not null,
  id          text not null,
  hash        text not null,
  updated_at  timestamptz not null,
  content     jsonb not null,
  received_at timestamptz not null default now(),
  primary key (source, type, id, hash)
);

create table connection (
  id              text primary key,
  first_seen_at   timestamptz not null default now(),
  configuration   text not null,
  paused          jsonb,
  epoch           bigint not null default 1,
  capabilities    jsonb,
  capabilities_at timestamptz
);

create table lane (
  connection   text not null,
  subject      text not null,
  source       text not null,
  wanted       bigint not null default 0,
  done         bigint not null default 0,
  fence        bigint not null default 0,
  lease_holder text,
  lease_until  timestamptz,
  queued_until timestamptz,
  starts       integer not null default 0,
  attempts     integer not null default 0,
  priority     integer not null default 50,
  due_at       timestamptz not null default now(),
  next_try_at  timestamptz,
  next_look_at timestamptz,
  reread       boolean not null default false,
  waiting      boolean not null default false,
  parked       jsonb,
  reason       jsonb,
  primary key (connection, subject)
);
create index lane_due on lane (connection, priority, due_at) where done < wanted;
create index lane_aged on lane (connection, due_at) where done < wanted;
create index lane_look on lane (next_look_at) where next_look_at is not null;
create index lane_by_subject on lane (subject);
create index lane_leased on lane (connection) where lease_until is not null or queued_until is not null;

create table lane_read (
  connection text not null,
  subject    text not null,
  source     text not null,
  type       text not null,
  id         text not null,
  primary key (source, type, id, connection, subject)
);
create index lane_read_by_lane on lane_read (connection, subject);

create table link (
  connection     text not null,
  source         text not null,
  type           text not null,
  id             text not null,
  slot           text not null,
  generation     integer not null default 1,
  subject        text not null,
  resource_type  text not null,
  remote_id      text,
  origin         text not null default 'created',
  version_tag    text,
  sent           jsonb,
  seen           jsonb,
  seen_tag       text,
  seen_hash      text,
  record_version integer,
  route          text not null,
  state          text not null,
  reason         jsonb,
  retired_at     timestamptz,
  updated_at     timestamptz not null default now(),
  primary key (connection, source, type, id, slot, generation)
);
create index link_by_subject on link (connection, subject);
create index link_by_remote on link (connection, resource_type, remote_id);
create index link_by_record on link (source, type, id);

create table operation (
  id             bigint generated always as identity primary key,
  send_id        text not null,
  connection     text not null,
  subject        text not null,
  fence          bigint not null,
  source         text not null,
  type           text not null,
  record_id      text not null,
  slot           text not null,
  generation     integer not null default 1,
  kind           text not null,
  resource_type  text not null,
  remote_id      text,
  sent           jsonb,
  record_version integer,
  intended_at    timestamptz not null default now(),
  send_before    timestamptz not null,
  outcome        text,
  status         integer,
  reason         jsonb,
  missed_at      timestamptz,
  late_check_at  timestamptz,
  closed_at      timestamptz
);
create index operation_open on operation (connection, subject) where outcome is null or late_check_at is not null;
create index operation_by_record on operation (source, type, record_id);
create index operation_closed on operation (closed_at) where outcome is not null;

create table waiting (
  connection text not null,
  subject    text not null,
  source     text not null,
  type       text not null,
  id         text not null,
  slot       text not null,
  since      timestamptz not null default now(),
  primary key (connection, source, type, id, slot, subject)
);
create index waiting_by_lane on waiting (connection, subject);

create table seen (
  connection    text not null,
  resource_type text not null,
  remote_id     text not null,
  version_tag   text,
  hash          text,
  body          jsonb,
  gone          boolean not null default false,
  seen_at       timestamptz not null default now(),
  primary key (connection, resource_type, remote_id)
);

create table remote_value (
  connection text not null,
  source     text not null,
  type       text not null,
  id         text not null,
  pointer    text not null,
  value      jsonb,
  seen_at    timestamptz not null default now(),
  primary key (source, type, id, connection, pointer)
);

create table change_counter (
  source text primary key,
  last   bigint not null default 0
);

create table change (
  source     text not null,
  cursor     bigint not null,
  connection text not null,
  op         text not null,
  type       text not null,
  id         text not null,
  body       jsonb,
  at         timestamptz not null default now(),
  primary key (source, cursor)
);

create table decision (
  id         bigint generated always as identity primary key,
  connection text not null,
  subject    text not null,
  source     text not null,
  kind       text not null,
  type       text,
  record_id  text,
  slot       text,
  topic      text not null,
  reason     jsonb not null,
  detail     jsonb not null,
  choices    jsonb not null,
  state      text not null default 'open',
  choice     text,
  note       text,
  decided_by text,
  opened_at  timestamptz not null default now(),
  decided_at timestamptz,
  used_at    timestamptz
);
create unique index decision_open_topic on decision (connection, subject, topic) where state = 'open';
create index decision_by_lane on decision (connection, subject);

create table match_lease (
  connection text not null,
  key        text not null,
  holder     text not null,
  until      timestamptz not null,
  primary key (connection, key)
);

create table poll (
  connection    text not null,
  resource_type text not null,
  cursor        text,
  next_at       timestamptz not null default now(),
  lease_until   timestamptz,
  last_ok_at    timestamptz,
  reason        jsonb,
  primary key (connection, resource_type)
);
create index poll_due on poll (next_at);

create table epoch (
  key text primary key,
  n   bigint not null default 1
);

create table mapping (
  version      text primary key,
  files        jsonb not null,
  activated_at timestamptz not null default now(),
  active       boolean not null default false
);
create unique index mapping_active on mapping (active) where active;

create table alert (
  id          bigint generated always as identity primary key,
  topic       text not null,
  connection  text,
  reason      jsonb not null,
  count       integer not null default 1,
  opened_at   timestamptz not null default now(),
  resolved_at timestamptz
);
create unique index alert_open_topic on alert (topic) where resolved_at is null;
`;

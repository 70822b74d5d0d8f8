// Clocks as rows, with the time at which each changes next; and the subjects whose clocks have to be worked out anew because a record of theirs
// was accepted. Alerts may be for people of a source, and say how they ended.

export const sql = `
create table clock (
  source       text not null,
  type         text not null,
  id           text not null,
  rule         text not null,
  part         text not null,
  subject      text not null,
  state        text not null check (state in ('running', 'due-soon', 'breached', 'met', 'void')),
  started_at   timestamptz not null,
  due_at       timestamptz,
  due_soon_at  timestamptz,
  stopped_at   timestamptz,
  paused_since timestamptz,
  contact      text,
  worker       text,
  supervisor   text,
  reason       jsonb not null,
  next_at      timestamptz,
  topic        text,
  primary key (source, type, id, rule, part)
);
create index clock_next on clock (next_at) where next_at is not null;
create index clock_of_subject on clock (subject);
create index clock_told on clock (topic) where topic is not null;
create index clock_by_due on clock (state, (coalesce(due_at, timestamptz '9999-12-31 00:00:00+00')));
create index clock_of_worker on clock (source, worker);

create table clock_mark (
  subject text primary key,
  since   timestamptz not null default now(),
  try_at  timestamptz
);
create index clock_mark_since on clock_mark (since);
insert into clock_mark (subject)
  select distinct subject from record
  where type in ('case', 'referral', 'note', 'incident', 'carePlan', 'hospitalStay') and subject <> '';

create index record_case_of_organization on record (source, (content ->> 'organizationId')) where type = 'case';

alter table alert
  add column source     text,
  add column recipients jsonb,
  add column resolution jsonb;
create index alert_of_source on alert (source, id) where source is not null;
`;

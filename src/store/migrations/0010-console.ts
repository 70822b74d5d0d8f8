// Operators who have signed in on the console, who has looked at what, and the indexes by which the timeline of a case is found.

export const sql = `
create table operator_session (
  hash       text primary key,
  operator   text not null,
  token_hash text not null,
  begun_at   timestamptz not null default now(),
  used_at    timestamptz not null default now()
);

create table audit (
  id            bigint generated always as identity primary key,
  at            timestamptz not null default now(),
  actor         text not null,
  action        text not null,
  resource_type text not null,
  resource_id   text,
  outcome       text not null,
  request_id    text
);

create index change_by_subject on change (subject);
create index change_by_record on change (source, type, id);
create index decision_by_subject on decision (subject);
create index alert_by_topic on alert (topic);
`;

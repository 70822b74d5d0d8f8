// Operators who have signed in on the console, whose looks at cases are audited too, and the indexes by which the timeline of a case is found.

export const sql = `
create table operator_session (
  hash       text primary key,
  operator   text not null,
  token_hash text not null,
  begun_at   timestamptz not null default now(),
  used_at    timestamptz not null default now()
);

alter table audit alter column partner drop not null;

create index change_by_subject on change (subject);
create index change_by_record on change (source, type, id);
create index change_by_origin on change (source, (body -> 'origin')) where op = 'propose';
create index inbound_of_subject on inbound (subject);
create index decision_by_subject on decision (subject);
create index alert_by_topic on alert (topic);
`;

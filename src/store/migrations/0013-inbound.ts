// What began on the other side: each resource that no record of ours has made, what its source is offered of it, and how the source answered.

export const sql = `
create table inbound (
  connection    text not null,
  source        text not null,
  resource_type text not null,
  remote_id     text not null,
  type          text not null,
  id            text not null,
  subject       text not null,
  patient       text,
  state         text not null default 'new'
    check (state in ('new', 'kept', 'proposed', 'withdrawn', 'refused', 'adopted')),
  reason        jsonb,
  look          text,
  offered       jsonb,
  offered_hash  text,
  parts         jsonb,
  answer        jsonb,
  record_id     text,
  noted_at      timestamptz not null default now(),
  updated_at    timestamptz not null default now(),
  primary key (connection, source, type, resource_type, remote_id)
);
create unique index inbound_by_id on inbound (source, type, id);
create index inbound_by_subject on inbound (connection, subject);
create index inbound_by_patient on inbound (connection, source, patient);
create index inbound_stays on inbound (subject) where type = 'hospitalStay' and state = 'proposed';
`;

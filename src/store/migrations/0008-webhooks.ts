// Changes posted to their sources: whose change it is, what of the resource it was read from, and what is still to be delivered. One row for each
// source that has a webhook, one for each change that its receiver has not taken yet.

export const sql = `
alter table change
  add column subject  text,
  add column elements jsonb;
update change c set subject = r.subject from record r where r.source = c.source and r.type = c.type and r.id = c.id;
update change set subject = '' where subject is null;
alter table change alter column subject set not null;

create table webhook (
  source        text primary key,
  taken         bigint not null default 0,
  failures      integer not null default 0,
  failing_since timestamptz,
  rest_until    timestamptz,
  reason        jsonb,
  disabled      jsonb,
  delivered_at  timestamptz
);

create table delivery (
  source        text not null,
  cursor        bigint not null,
  subject       text not null,
  since         timestamptz not null default now(),
  attempts      integer not null default 0,
  failing_since timestamptz,
  stuck         boolean not null default false,
  next_at       timestamptz not null default now(),
  lease_until   timestamptz,
  fence         integer not null default 0,
  primary key (source, cursor)
);
create index delivery_in_order on delivery (source, subject, cursor);
`;

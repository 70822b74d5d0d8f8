// The page of a partner: what was told to it (one row for each event of a referral), the links that messages carried, who has signed in by one,
// and which forms have been taken. Of links, codes and sessions only hashes are kept.

export const sql = `
create table partner_message (
  id            bigint generated always as identity primary key,
  partner       text not null,
  task_id       text not null,
  event         text not null,
  state         text not null check (state in ('waiting', 'sent', 'failed', 'needless')),
  created_at    timestamptz not null default now(),
  attempts      integer not null default 0,
  failing_since timestamptz,
  next_at       timestamptz not null default now(),
  lease_until   timestamptz,
  fence         integer not null default 0,
  sent_at       timestamptz,
  reason        jsonb,
  unique (partner, task_id, event)
);
create index partner_message_waiting on partner_message (next_at) where state = 'waiting';

create table partner_watch (
  partner text not null,
  task_id text not null,
  seen    text not null,
  primary key (partner, task_id)
);

create table partner_link (
  id           text primary key,
  partner      text not null,
  task_id      text not null,
  message      bigint,
  hash         text not null,
  created_at   timestamptz not null default now(),
  expires_at   timestamptz not null,
  revoked_at   timestamptz,
  revoked_by   text,
  used_at      timestamptz,
  code_hash    text,
  codes_sent   integer not null default 0,
  code_sent_at timestamptz,
  code_until   timestamptz,
  wrong_codes  integer not null default 0,
  locks        integer not null default 0,
  locked_until timestamptz
);
create index partner_link_of_task on partner_link (partner, task_id);

create table partner_session (
  hash       text primary key,
  link       text not null references partner_link (id) on delete cascade,
  name       text not null,
  created_at timestamptz not null default now(),
  seen_at    timestamptz not null default now()
);
create index partner_session_of_link on partner_session (link);

create table partner_form (
  link text not null references partner_link (id) on delete cascade,
  key  text not null,
  done boolean not null default false,
  at   timestamptz not null default now(),
  primary key (link, key)
);
`;

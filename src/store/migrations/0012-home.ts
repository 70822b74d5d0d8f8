// Casebridge as the server on which partners read and write: what it holds for each partner, with all versions; who has looked at or changed what;
// tokens that it gave and assertions that were used for them.

export const sql = `
create table home_resource (
  partner       text not null,
  resource_type text not null,
  id            text not null,
  version       integer not null,
  at            timestamptz not null,
  written_by    text not null,
  own_value     text,
  based_on      text,
  body          jsonb not null,
  primary key (partner, resource_type, id)
);
create index home_resource_own on home_resource (partner, resource_type, own_value) where own_value is not null;
create index home_resource_based_on on home_resource (partner, based_on) where based_on is not null;
create index home_resource_changed on home_resource (partner, resource_type, at);

create table home_version (
  partner       text not null,
  resource_type text not null,
  id            text not null,
  version       integer not null,
  at            timestamptz not null,
  written_by    text not null,
  body          jsonb not null,
  primary key (partner, resource_type, id, version)
);

create table audit (
  id            bigint generated always as identity primary key,
  at            timestamptz not null default now(),
  partner       text not null,
  actor         text not null,
  action        text not null,
  resource_type text not null,
  resource_id   text,
  outcome       text not null,
  request_id    text
);
create index audit_of_partner on audit (partner, id);

create table access_token (
  hash       text primary key,
  client     text not null,
  scopes     text not null,
  expires_at timestamptz not null
);
create index access_token_expiry on access_token (expires_at);

create table used_assertion (
  client     text not null,
  jti_hash   text not null,
  expires_at timestamptz not null,
  primary key (client, jti_hash)
);
create index used_assertion_expiry on used_assertion (expires_at);
`;

// Subscriptions that we have made on a server, one for each type that we want to be told of.

export const sql = `
create table own_subscription (
  connection    text not null,
  resource_type text not null,
  id            text,
  said          text,
  intended_at   timestamptz,
  since         timestamptz,
  missed_at     timestamptz,
  primary key (connection, resource_type)
);
`;

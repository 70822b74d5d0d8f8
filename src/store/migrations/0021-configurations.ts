// Which configuration of a connection is in force and since when; since when it is off; and for whom records make lanes under it.

export const sql = `
alter table connection
  add column configuration_at timestamptz,
  add column off_since timestamptz,
  add column recipient jsonb;
`;

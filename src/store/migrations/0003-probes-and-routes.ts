// When a connection that a fault has paused is asked again, and by which route each operation went.

export const sql = `
alter table connection
  add column probe_at   timestamptz,
  add column probes     integer not null default 0,
  add column resumed_at timestamptz;

alter table operation
  add column route        text,
  add column route_reason jsonb;
`;

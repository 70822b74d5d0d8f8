// When a connection that a fault has paused is asked again; by which route each operation went, and how the server's support finds it.

export const sql = `
alter table connection
  add column probe_at   timestamptz,
  add column probes     integer not null default 0,
  add column resumed_at timestamptz;

alter table operation
  add column route        text,
  add column route_reason jsonb,
  add column request_id   text;
`;

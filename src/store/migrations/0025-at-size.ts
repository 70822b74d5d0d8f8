// By which what grows for ever is found.

export const sql = `
create index edition_by_remote on edition (connection, remote_id);
create index poll_with_reason on poll (connection, resource_type) where reason is not null;
create index link_directory on link (connection, type) where type in ('worker', 'organization') and retired_at is null;
-- A server may refer by a text of any length, which only a hash holds.
create index seen_task_focus on seen using hash (substring(body -> 'focus' ->> 'reference' from '(ServiceRequest/[A-Za-z0-9._-]+)'))
  where resource_type = 'Task';
create index audit_by_time on audit (at);
create index mass_change_link_by_record on mass_change_link (source, type, id);
create index unmapped_by_record on unmapped (source, type, id);
create index home_resource_of_patient on home_resource using hash ((body #>> '{subject,reference}')) where resource_type = 'ServiceRequest';
`;

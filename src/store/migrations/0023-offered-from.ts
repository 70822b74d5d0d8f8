// What a record said itself when its source was offered another value: only with it can be told what the other side has changed from what the source
// has changed since.

export const sql = `
alter table remote_value add column base jsonb;
update remote_value v set base = (
  select r.content -> replace(replace(substr(v.pointer, 2), '~1', '/'), '~0', '~') from record_version r
  where r.source = v.source and r.type = v.type and r.id = v.id and r.accepted_at <= v.seen_at
  order by r.version desc limit 1);
`;

// What the other side says of a record counts for its clocks before the source has taken it over, and no longer once the source has refused it.

export const sql = `
alter table remote_value add column refused_at timestamptz;
update remote_value v set refused_at = d.opened_at from decision d
where d.kind = 'refused-change' and d.choice is distinct from 'again' and v.pointer = '/firstContact'
  and d.connection = v.connection and d.source = v.source and d.type = v.type and d.record_id = v.id
  and d.detail -> 'change' -> 'firstContact' = v.value;
`;

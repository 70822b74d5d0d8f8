// Where a change of the other side comes from, beside it: for whoever may see the change.

export const sql = `
alter table change add column lineage jsonb;
`;

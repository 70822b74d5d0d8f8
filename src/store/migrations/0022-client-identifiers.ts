// Whose an ADT message is, is looked up by what identifies the client.

export const sql = `
create index record_by_identifier on record using gin ((content -> 'identifiers') jsonb_path_ops) where type = 'client';
`;

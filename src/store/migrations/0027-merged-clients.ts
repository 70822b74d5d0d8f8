// By which the duplicates of a client are found.

export const sql = `
create index record_version_merged_into on record_version (source, (content ->> 'mergedInto'))
  where type = 'client' and content ->> 'mergedInto' is not null;
`;

// By which old versions at a partner's home are found, to be forgotten.

export const sql = `
create index home_version_by_time on home_version (at);
`;

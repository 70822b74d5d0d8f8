// By which form of its slot the bases of a link were made, and of which version of its record what was sent is: only with them can what a mapping says
// otherwise be told from what a source has changed. Of links from before, the form is not known.

export const sql = `
alter table link
  add column form         text,
  add column sent_version integer;
`;

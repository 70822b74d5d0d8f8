// Codes that a ConceptMap does not know, by where they stand: kept while they do, so that whoever tends the maps sees which are missing and how often.

export const sql = `
create table unmapped (
  connection  text not null,
  source      text not null,
  subject     text not null,
  type        text not null,
  id          text not null,
  slot        text not null,
  way         text not null check (way in ('out', 'back')),
  pointer     text not null,
  concept_map text not null,
  code        text not null,
  seen_at     timestamptz not null default now(),
  primary key (connection, source, type, id, slot, way, pointer, concept_map, code)
);
create index unmapped_of_lane on unmapped (connection, subject);
create index unmapped_of_map on unmapped (concept_map, way, code);
`;

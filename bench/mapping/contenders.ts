// Who maps: each takes the JSON text of one case and answers the JSON text of its resources, with what it has to report.

import type { JsonObject } from '../../src/json.ts';
import type { Mapping, MappingSet } from '../../src/mapping/mapping.ts';
import type { RecordType } from '../../src/records/records.ts';
import type { HandTables } from './by-hand/hand-tables.ts';
import { byHand, type HandRecord } from './by-hand/mapper.ts';
import type { Source } from './cases.ts';

export interface Contender {
  readonly name: string;
  /** What of Casebridge's answer it gives too. */
  readonly says: 'resources and issues' | 'the same resources' | 'the same types';
  /** What its text leaves out, in words; absent: nothing. */
  readonly lacks?: string;
  map(text: string): string | Promise<string>;
}

export interface Casebridge {
  /** Resources put together. */
  readonly assemble: Contender;
  /** The same, checked, each claiming the best profile that it satisfies. */
  readonly project: Contender;
  /** The same, with where each element comes from. */
  readonly explain: Contender;
}

export function casebridge(mappings: MappingSet, source: Source): Casebridge {
  const contender = (name: string, make: (mapping: Mapping, record: JsonObject) => object): Contender => ({
    name: `Casebridge, ${name}`,
    says: 'resources and issues',
    map: (text) => {
      const made = source.opened(text).flatMap(({ type, record }) => {
        const mapping = mappings.mapping(type);
        return mapping ? make(mapping, record) : [];
      });
      return JSON.stringify(made);
    },
  });
  const { context } = source;
  return {
    assemble: contender('assemble', (mapping, record) =>
      mapping.assemble(record, context).map(({ resource, issues }) => ({ resource, issues })),
    ),
    project: contender('project', (mapping, record) =>
      mapping.project(record, context).map(({ resource, issues }) => ({ resource, issues })),
    ),
    explain: contender('explain', (mapping, record) => {
      const { resources, unsent } = mapping.explain(record, context);
      const made = resources.map(({ desired: { resource, issues }, lineage }) => ({ resource, issues, lineage }));
      return [...made, { unsent }];
    }),
  };
}

export function handWritten(tables: HandTables, source: Source): Contender {
  return {
    name: 'by hand',
    says: 'resources and issues',
    map: (text) => {
      const made = source
        .opened(text)
        .flatMap((line) => (isHandLine(line) ? byHand(line, source.context, tables) : []));
      return JSON.stringify(made.map(({ resource, issues }) => ({ resource, issues })));
    },
  };
}

/** The record types of a case. */
export const handTypes: readonly RecordType[] = ['client', 'case', 'need', 'goal', 'carePlan', 'referral'];

/** Records are checked on arrival, so their type says what they hold. */
export function isHandLine<Line extends { readonly type: string }>(line: Line): line is Line & HandRecord {
  return handTypes.some((type) => type === line.type);
}

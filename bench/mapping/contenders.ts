// Who maps: each takes the JSON text of one case and answers the JSON text of its resources, with what it has to report.

import type { MappingSet } from '../../src/mapping/mapping.ts';
import type { HandTables } from './by-hand/hand-tables.ts';
import { byHand, type HandRecord } from './by-hand/mapper.ts';
import type { Source } from './cases.ts';

export interface Contender {
  readonly name: string;
  /** What its text leaves out, in words; absent: nothing. */
  readonly lacks?: string;
  map(text: string): string | Promise<string>;
}

/** Casebridge without and with its checks. */
export function casebridge(mappings: MappingSet, source: Source): readonly [Contender, Contender] {
  return [
    {
      name: 'Casebridge, assemble',
      map: (text) => {
        const made = source
          .opened(text)
          .flatMap(({ type, record }) => mappings.mapping(type)?.assemble(record, source.context) ?? []);
        return JSON.stringify(made.map(({ resource, issues }) => ({ resource, issues })));
      },
    },
    {
      name: 'Casebridge, project',
      map: (text) => {
        const made = source
          .opened(text)
          .flatMap(({ type, record }) => mappings.mapping(type)?.project(record, source.context) ?? []);
        return JSON.stringify(made.map(({ resource, issues }) => ({ resource, issues })));
      },
    },
  ];
}

export function handWritten(tables: HandTables, source: Source): Contender {
  return {
    name: 'by hand',
    map: (text) => {
      const made = source
        .opened(text)
        .flatMap((line) => (isHandLine(line) ? byHand(line, source.context, tables) : []));
      return JSON.stringify(made.map(({ resource, issues }) => ({ resource, issues })));
    },
  };
}

const handTypes: readonly string[] = ['client', 'case', 'need', 'goal', 'carePlan', 'referral'];

/** Records are checked on arrival, so their type says what they hold. */
export function isHandLine<Line extends { readonly type: string }>(line: Line): line is Line & HandRecord {
  return handTypes.includes(line.type);
}

// What the runs of a lane have worked out and the next one may take up, in this process alone. It says nothing about what is: whatever is taken up is
// first held against what the run has read, part by part, and is worked out anew where anything differs. Lost at any time, it costs time and nothing else.

import { isDeepStrictEqual } from 'node:util';
import { type RecordRow, recordKey } from '../desire/known.ts';
import { Projections } from '../desire/projections.ts';
import type { LaneResource } from '../lane-resource.ts';
import type { LaneKey } from '../lease.ts';
import type { LaneRecords } from './lane-rows.ts';

export interface LaneMemory {
  /** As they were read last, of other lanes too, by `type/id`. */
  records: ReadonlyMap<string, RecordRow>;
  readonly projections: Projections;
  /** By name, as they were at the last load; a resource that is the same now is taken from here, with all that followed from it. */
  resources: ReadonlyMap<string, LaneResource>;
  /** What a run that yielded had looked at by then; undefined where the last run did not yield. */
  looked: Looked | undefined;
  /** Names of linked resources that could not be read when they were asked for last, in the order of asking. They are read after the others. */
  readonly unread: Set<string>;
}

/** Looks that count for as long as nothing has raised the lane's counter: every cause to read all again does. */
export interface Looked {
  readonly wanted: number;
  /** As `Type/id`. */
  readonly names: ReadonlySet<string>;
}

export function emptyMemory(): LaneMemory {
  return {
    records: new Map(),
    projections: new Projections(),
    resources: new Map(),
    looked: undefined,
    unread: new Set(),
  };
}

/** The records as read, each with the very object as content that it had at the last reading if it says the same: comparing it is quick from then on. */
export function recognized(memory: LaneMemory, read: LaneRecords): LaneRecords {
  const known = (row: RecordRow): RecordRow => {
    const before = memory.records.get(recordKey(row));
    return before !== undefined && isDeepStrictEqual(before.content, row.content)
      ? { ...row, content: before.content }
      : row;
  };
  const own = read.own.map(known);
  const otherRows = read.otherRows.map(known);
  memory.records = new Map([...own, ...otherRows].map((row) => [recordKey(row), row]));
  return { ...read, own, otherRows };
}

export interface LaneMemories {
  /** Gives out what is kept of the lane; it is nobody else's until it is kept again. */
  take(lane: LaneKey): LaneMemory;
  keep(lane: LaneKey, memory: LaneMemory): void;
}

/** For cases that are worked at just now. A resource with its record, as projected and as seen, is some 50 kB. */
const mostKept = 300;

/** @param most resources of all lanes together; those of the lanes that ran longest ago are given up first */
export function createLaneMemories(most = mostKept): LaneMemories {
  const kept = new Map<string, LaneMemory>();
  let count = 0;
  const drop = (name: string): LaneMemory | undefined => {
    const memory = kept.get(name);
    if (memory === undefined) return undefined;
    kept.delete(name);
    count -= memory.resources.size;
    return memory;
  };
  return {
    take: (lane) => drop(nameOfLane(lane)) ?? emptyMemory(),
    keep(lane, memory) {
      const name = nameOfLane(lane);
      drop(name);
      kept.set(name, memory);
      count += memory.resources.size;
      for (const oldest of kept.keys()) {
        if (count <= most) break;
        drop(oldest);
      }
    },
  };
}

function nameOfLane({ connection, subject }: LaneKey): string {
  return `${connection} ${subject}`;
}

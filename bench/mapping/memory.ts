// `--memory`: a million records mapped, each with ids of its own, and what the process holds meanwhile. What grows with the number of records
// is a leak.

import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import type { MappingSet, ProjectContext, SlotRef } from '../../src/mapping/mapping.ts';
import { cases } from '../caseload.ts';
import { type Figures, mebibytes, rounded } from '../figures.ts';
import { identifierSystem } from './cases.ts';

/** The first fifth of the samples is the engine's and the heap's own growth. */
const settled = 0.2;

export function measureMemory(mappings: MappingSet, records = 1_000_000, samples = 100): Figures {
  const context: ProjectContext = {
    source: 'county',
    identifierSystem,
    identifierSystems: { mrn: 'urn:oid:1.2.3' },
    record: () => undefined,
    reference: ({ type, id, slot }: SlotRef) => `${mappings.mapping(type)?.slot(slot).resourceType}/${id}`,
  };
  const collect = collector();
  const points: { records: number; bytes: number }[] = [];
  let mapped = 0;
  let caseNumber = 0;
  while (mapped < records) {
    for (const { type, record } of cases(1, caseNumber)) {
      mappings.mapping(type)?.project(record, context);
      mapped += 1;
    }
    caseNumber += 1;
    if (mapped >= (points.length + 1) * (records / samples)) {
      collect();
      points.push({ records: mapped, bytes: process.memoryUsage.rss() });
      process.stderr.write(`${mapped} records, ${mebibytes(process.memoryUsage.rss())} MiB\n`);
    }
  }
  const later = points.slice(Math.floor(points.length * settled));
  return {
    'records mapped': mapped,
    'memory after the first tenth (MiB)': mebibytes(points[Math.floor(samples / 10)]?.bytes ?? Number.NaN),
    'memory at the end (MiB)': mebibytes(points.at(-1)?.bytes ?? Number.NaN),
    'growth per million records (MiB)': rounded((slope(later) * 1e6) / 2 ** 20, 2),
  };
}

/** Bytes per record: least squares. */
function slope(points: readonly { records: number; bytes: number }[]): number {
  const x = points.reduce((sum, { records }) => sum + records, 0) / points.length;
  const y = points.reduce((sum, { bytes }) => sum + bytes, 0) / points.length;
  const products = points.reduce((sum, { records, bytes }) => sum + (records - x) * (bytes - y), 0);
  return products / points.reduce((sum, { records }) => sum + (records - x) ** 2, 0);
}

/** A collection on request, so that what is measured is held and not only uncollected. */
function collector(): () => void {
  setFlagsFromString('--expose-gc');
  return runInNewContext('gc');
}

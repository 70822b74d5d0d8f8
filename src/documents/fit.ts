// Which entries of a page are shown where not all have room. Sections take turns, one entry each, so that 200 goals do not push out three
// referrals; each section's entries come in their order of importance. What is left out is counted under its section.

import type { Entry } from './entries.ts';
import type { Section } from './page.ts';

/** Visible characters of a document, at most (closed-loop.md B8). */
export const visibleLimit = 6000;

export interface FittedSection {
  readonly section: Section;
  readonly entries: readonly Entry[];
  /** `12 more goals are not shown.` */
  readonly more: string | undefined;
}

/** What things cost in visible characters, which depends on the form. */
export interface Costs {
  entry(entry: Entry): number;
  line(line: string): number;
}

/** Chooses within `room` characters; headings are not counted, because they always stand. */
export function fit(sections: readonly Section[], room: number, costs: Costs): FittedSection[] {
  const all = sections.reduce((sum, section) => sum + total(section, costs), 0);
  if (all <= room) return sections.map((section) => ({ section, entries: section.entries, more: undefined }));
  let left = room - sections.reduce((sum, section) => sum + reserve(section, costs), 0);
  const turns = sections
    .map((section) => ({ section, chosen: [] as Entry[], open: section.entries.length > 0 }))
    .toSorted((a, b) => a.section.claim - b.section.claim);
  while (turns.some(({ open }) => open)) {
    for (const turn of turns.filter(({ open }) => open)) {
      const next = turn.section.entries[turn.chosen.length];
      const fitting = next && fittingForm(next, turn.chosen.length === 0, left, costs);
      if (fitting) {
        turn.chosen.push(fitting);
        left -= costs.entry(fitting);
      }
      turn.open = fitting !== undefined && turn.chosen.length < turn.section.entries.length;
    }
  }
  return sections.map((section) => {
    const chosen = turns.find((turn) => turn.section === section)?.chosen ?? [];
    return { section, entries: chosen, more: moreLine(section, section.entries.length - chosen.length) };
  });
}

// The first entry of a section goes without its details rather than not at all.
function fittingForm(entry: Entry, first: boolean, left: number, costs: Costs): Entry | undefined {
  if (costs.entry(entry) <= left) return entry;
  const short = { head: entry.head, details: ['Details are not shown.'] };
  return first && costs.entry(short) <= left ? short : undefined;
}

function total(section: Section, costs: Costs): number {
  if (section.entries.length === 0) return costs.line(section.none);
  return section.entries.reduce((sum, entry) => sum + costs.entry(entry), 0);
}

function reserve(section: Section, costs: Costs): number {
  return costs.line(moreLine(section, section.entries.length) ?? section.none);
}

function moreLine({ nouns: [one, many] }: Section, count: number): string | undefined {
  if (count === 0) return undefined;
  return count === 1 ? `1 more ${one} is not shown.` : `${count} more ${many} are not shown.`;
}

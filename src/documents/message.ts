// What a message about a referral says on a server where it can be posted once and never changed: the words as they are, and the marker by which it is
// found again. A later one says which it corrects, or takes back.

import { type JsonObject, textAt } from '../json.ts';
import { printInstant } from './dates.ts';
import { markerLine } from './marker.ts';
import { type Frame, part2Notice } from './page.ts';
import type { Rendered } from './rendered.ts';
import type { RetractionFrame } from './retraction.ts';

/** The words under `text`, with `part2` where the record is labelled so. */
export function renderMessage(facts: JsonObject, { replaces, timeZone, marker, edition }: Frame): Rendered {
  const corrects = replaces && `This corrects our message of ${printInstant(replaces.asOf, timeZone)}.`;
  return whole([textAt(facts, 'text'), corrects, facts.part2 === true ? part2Notice : undefined], marker, edition);
}

/** Tells nothing of what the message said: it may have been taken back for want of a consent. */
export function renderMessageTakenBack({ retracts, timeZone, marker, edition }: RetractionFrame): Rendered {
  const when = printInstant(retracts.asOf, timeZone);
  const line = `Our message of ${when} (${markerLine(marker, retracts.edition)}) has been taken back. Please disregard it.`;
  return whole([line], marker, edition);
}

function whole(parts: readonly (string | undefined)[], marker: string, edition: number): Rendered {
  const said = parts.filter((part) => part !== undefined);
  return { text: [...said, markerLine(marker, edition)].join('\n\n'), leftOut: [], transliterated: false };
}

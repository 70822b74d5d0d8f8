// The marker by which a document is found again on a server that gives nothing else back: its last printed line (lanes.md 12). It says
// nothing about whom or what it is about.

import { createHash } from 'node:crypto';

/** Which document series a marker stands for. */
export interface MarkerParts {
  readonly connection: string;
  readonly source: string;
  readonly type: string;
  readonly id: string;
  readonly slot: string;
}

export interface FoundMarker {
  readonly marker: string;
  readonly edition: number;
}

// No vowels, so that no marker spells a word; 30 characters give 59 bits in twelve places.
const alphabet = '0123456789BCDFGHJKLMNPQRSTVWXZ';
const length = 12;

/** `CB-` and twelve characters, the same for the same parts for ever: it is stored on other servers. */
export function markerOf(parts: MarkerParts): string {
  const key = JSON.stringify([parts.connection, parts.source, parts.type, parts.id, parts.slot]);
  let rest = BigInt(`0x${createHash('sha256').update(key).digest('hex')}`);
  let characters = '';
  while (characters.length < length) {
    characters += alphabet[Number(rest % 30n)] ?? '';
    rest /= 30n;
  }
  return `CB-${characters}`;
}

/** The last line of an edition. */
export function markerLine(marker: string, edition: number): string {
  return `Ref ${marker} v${edition}`;
}

// What a server may put between two words: white space, an entity for it, or tags.
const gap = '(?:\\s|&nbsp;|&#160;|&#x[aA]0;|<[^<>]*>)';
const line = new RegExp(`Ref${gap}+CB(?:-|&#45;|&#x2[dD];)([${alphabet}]{${length}})${gap}+v(\\d{1,6})(?!\\d)`, 'g');

/**
 * The marker and edition of a document as a server gives it back: text or XHTML, white space and entities rewritten. The last one
 * counts, because a worker may have pasted an older document into a record.
 */
export function findMarker(text: string): FoundMarker | undefined {
  let found: FoundMarker | undefined;
  for (const [, characters = '', edition = ''] of text.matchAll(line)) {
    found = { marker: `CB-${characters}`, edition: Number(edition) };
  }
  return found;
}

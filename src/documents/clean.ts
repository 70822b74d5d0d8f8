// Text of people made fit to be shown: one line, nothing invisible that changes how the rest reads, no half characters, not too long.
// The result can be stored as jsonb and put into XML.

// U+200C and U+200D stay: Persian and several Indian scripts are spelled with them.
const invisible = /(?![\u200c\u200d])\p{Cf}/gu;
const notText = /\p{Noncharacter_Code_Point}/gu;
const space = /[\p{Z}\p{Cc}]+/gu;

/** Control characters and white space become one space; marks that reorder or hide text are removed; half a surrogate pair shows as U+FFFD. */
export function cleanLine(text: string): string {
  return text.toWellFormed().replace(invisible, '').replace(notText, '').replace(space, ' ').trim();
}

/** At most `limit` code points; what was cut shows as `...`. */
export function clip(text: string, limit: number): string {
  // A code point is at most two units, so a text of this length cannot be too long.
  if (text.length <= limit) return text;
  const points = Array.from(text);
  return points.length <= limit
    ? text
    : `${points
        .slice(0, limit - 3)
        .join('')
        .trimEnd()}...`;
}

/** Cleaned and cut; undefined where nothing is left to show. */
export function shown(text: string | undefined, limit: number): string | undefined {
  // Cut before cleaning too: a text of 20,000 characters is not cleaned for the sake of its first 200.
  const cleaned = cleanLine((text ?? '').slice(0, limit * 4));
  return cleaned === '' ? undefined : clip(cleaned, limit);
}

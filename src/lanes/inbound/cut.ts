// Texts of the other side that are too long to be kept or shown.

/** The beginning of a text, of so many UTF-16 units at most. No half of a character is left, which no store takes. */
export function cut(text: string, length: number): string {
  const start = text.slice(0, length);
  return start.isWellFormed() ? start : start.slice(0, -1);
}

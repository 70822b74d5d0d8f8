// The value of a search parameter as text that no part of it can end. FHIR R4 search.html, Escaping Search Parameters.

/** Backslash, comma, dollar and bar lose their meaning. */
export function escaped(text: string): string {
  return text.replace(/[\\,$|]/g, (character) => `\\${character}`);
}

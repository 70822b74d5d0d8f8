// What a form of the document gives back.

export interface Rendered {
  readonly text: string;
  /** What was left out to stay within the limit, a counted line each; it stands in the text too. */
  readonly leftOut: readonly string[];
  /** Some letters are spelled otherwise than in the records, or show as `?`; the text says so. */
  readonly transliterated: boolean;
}

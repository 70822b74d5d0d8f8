// Front door of html/: HTML as values. What stands in a template is markup; what is put into it is text, and shown as text. Pure.

/** Markup: only `html` makes it. `String(markup)` is what is sent. */
class Html {
  readonly #markup: string;

  constructor(markup: string) {
    this.#markup = markup;
  }

  toString(): string {
    return this.#markup;
  }
}

export type { Html };

/** What may be put into a template; `false` and `undefined` are nothing, a list is its items one after the other. */
export type HtmlValue = Html | string | number | false | undefined | readonly HtmlValue[];

/**
 * A template whose values are escaped unless they are markup themselves. Values belong between tags, or into attributes that are written
 * with double quotes; an address that others have written (`javascript:`) does not belong into `href`.
 */
export function html(template: TemplateStringsArray, ...values: readonly HtmlValue[]): Html {
  return new Html(template.reduce((text, part, index) => text + markupOf(values[index - 1]) + part));
}

function markupOf(value: HtmlValue): string {
  if (value === undefined || value === false) return '';
  if (value instanceof Html) return value.toString();
  if (typeof value === 'object') return value.map(markupOf).join('');
  return escaped(String(value));
}

/** Control characters have no place in HTML, and those that turn the direction of writing can make a text look like another. */
const unwanted = /[^\P{Cc}\t\n\r]|[\u202a-\u202e\u2066-\u2069]/gu;

function escaped(text: string): string {
  return text
    .toWellFormed()
    .replace(unwanted, '\ufffd')
    .replace(/[&<>"']/g, (character) => `&#${character.codePointAt(0)};`);
}

// Fields of forms as HTML: a label, perhaps a hint, what is wrong with it, and the control; tied together for whoever hears the page.

import { type Html, type HtmlValue, html } from '../html/html.ts';
import { type FieldFault, type FieldName, longestText } from './forms.ts';
import type { Words } from './words.ts';

/** A form that was sent and came back: what was in it, and what is wrong. */
export interface Returned {
  readonly values: URLSearchParams;
  readonly faults: readonly FieldFault[];
}

export interface FieldBox {
  readonly w: Words;
  /** Makes the ids on the page unique. */
  readonly form: string;
  readonly returned: Returned | undefined;
}

function fieldId(form: string, field: FieldName): string {
  return `${form}-${field}`;
}

interface Shown {
  readonly name: FieldName;
  readonly label: string;
  readonly hint?: string;
  /** What is in it before anybody has written. */
  readonly value?: string;
  readonly required?: boolean;
}

export function choiceField(
  box: FieldBox,
  shown: Shown,
  options: readonly (readonly [value: string, text: string])[],
): Html {
  const chosen = givenIn(box, shown);
  const items = options.map(
    ([value, text]) => html`<option value="${value}"${value === chosen && html` selected`}>${text}</option>`,
  );
  return field(
    box,
    shown,
    (attributes) => html`<select ${attributes}><option value="">${box.w.fields.choose}</option>${items}</select>`,
  );
}

export function textField(box: FieldBox, shown: Shown): Html {
  return field(
    box,
    shown,
    (attributes) =>
      html`<textarea ${attributes} rows="4" dir="auto" maxlength="${longestText}">${givenIn(box, shown)}</textarea>`,
  );
}

/** @param more markup of further attributes */
export function lineField(box: FieldBox, shown: Shown, more: Html): Html {
  return field(box, shown, (attributes) => html`<input ${attributes} ${more} value="${givenIn(box, shown)}">`);
}

function field(
  box: FieldBox,
  { name, label, hint, required = false }: Shown,
  control: (attributes: Html) => Html,
): Html {
  const id = fieldId(box.form, name);
  const fault = box.returned?.faults.find((one) => one.field === name)?.fault;
  const described = [hint === undefined ? [] : [`${id}-hint`], fault === undefined ? [] : [`${id}-fault`]].flat();
  const attributes = html`id="${id}" name="${name}"${required && html` aria-required="true"`}${
    fault !== undefined && html` aria-invalid="true"`
  }${described.length > 0 && html` aria-describedby="${described.join(' ')}"`}`;
  const hintLine: HtmlValue = hint !== undefined && html`<span class="hint" id="${id}-hint">${hint}</span>`;
  const faultLine: HtmlValue =
    fault !== undefined && html`<span class="fault" id="${id}-fault">${box.w.faults[fault]}</span>`;
  return html`<p><label for="${id}">${label}</label>${hintLine}${faultLine}${control(attributes)}</p>`;
}

function givenIn({ returned }: FieldBox, { name, value }: Shown): string {
  return returned?.values.get(name) ?? value ?? '';
}

/** All that is wrong, each a link to its field. */
export function faultList({ w, form, returned }: FieldBox): HtmlValue {
  const faults = returned?.faults ?? [];
  return html`<ul>${faults.map(({ field: name, fault }) => html`<li><a href="#${fieldId(form, name)}">${w.faults[fault]}</a></li>`)}</ul>`;
}

// Small JSON bodies: every field is named, of the right kind, and nothing else is there.

import { isObject, type Json } from '../json.ts';
import type { Signature } from '../lanes/lanes.ts';
import { didYouMean } from '../nearest.ts';
import { type FieldError, kindOf } from '../records/records.ts';
import { FieldsRefused } from './problem.ts';
import type { Call } from './route.ts';

export interface FieldRule {
  readonly fits: (value: Json) => boolean;
  /** The end of "{name} must be …". */
  readonly form: string;
  /** It must be there. */
  readonly required?: true;
}

export type FieldRules = Readonly<Record<string, FieldRule>>;

/** Of a note, in characters. */
export const noteLength = 2000;

/** A word for colleagues. */
export const note: FieldRule = {
  fits: (value) => typeof value === 'string' && value.length <= noteLength,
  form: `text of at most ${noteLength} characters`,
};

/** A word that must be given. */
export const words: FieldRule = {
  fits: (value) => note.fits(value) && String(value).trim() !== '',
  form: `text of at most ${noteLength} characters that is not blank`,
  required: true,
};

/**
 * The fields of the body; one that is absent is left out.
 * @throws FieldsRefused `request-refused`: each wrong field, each that must be there and is not, and each unknown one with its nearest name
 */
export function readFields<Name extends string>(
  body: Json,
  rules: Readonly<Record<Name, FieldRule>>,
): Partial<Record<Name, Json>> {
  const names = Object.keys(rules);
  const given = isObject(body) ? body : {};
  const errors: FieldError[] = isObject(body)
    ? []
    : [{ pointer: '', rule: 'type', found: kindOf(body), message: 'The body must be an object.' }];
  for (const name of Object.keys(given))
    if (!names.includes(name))
      errors.push({
        pointer: '',
        rule: 'unknown-property',
        found: 'unknown name',
        message: `The body holds ${names.map((known) => `"${known}"`).join(', ')} only.${didYouMean(name, names)}`,
      });
  const fields: Partial<Record<Name, Json>> = {};
  for (const name in rules) {
    const value = given[name];
    const { fits, form, required } = rules[name];
    if (value === undefined && required === undefined) continue;
    if (value === undefined)
      errors.push({
        pointer: '',
        rule: 'required',
        found: 'nothing',
        message: `"${name}" is missing. It must be ${form}.`,
      });
    else if (fits(value)) fields[name] = value;
    else
      errors.push({ pointer: `/${name}`, rule: 'type', found: kindOf(value), message: `"${name}" must be ${form}.` });
  }
  if (errors.length > 0) throw new FieldsRefused('request-refused', errors);
  return fields;
}

/** Who asked for it, with the note of the body. */
export function signatureOf({ principal }: Call, fields: { readonly note?: Json }): Signature {
  const words = textOf(fields.note);
  return { by: principal?.name ?? '', ...(words !== undefined && { note: words }) };
}

/** The text of a field; undefined where it is absent. */
export function textOf(value: Json | undefined): string | undefined {
  return typeof value === 'string' ? value : undefined;
}

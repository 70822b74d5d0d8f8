// Small JSON bodies of operators: every field is named, of the right kind, and nothing else is there.

import { isObject, type Json } from '../json.ts';
import { didYouMean } from '../nearest.ts';
import { type FieldError, kindOf } from '../records/records.ts';
import { FieldsRefused } from './problem.ts';

export interface FieldRule {
  readonly fits: (value: Json) => boolean;
  /** The end of "{name} must be …". */
  readonly form: string;
}

const noteLength = 2000;

/** A word for colleagues. */
export const note: FieldRule = {
  fits: (value) => typeof value === 'string' && value.length <= noteLength,
  form: `text of at most ${noteLength} characters`,
};

/** The fields of the body; one that is absent is left out. @throws FieldsRefused `request-refused`: each wrong field, and each unknown one with its nearest name */
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
    if (value === undefined) continue;
    const { fits, form } = rules[name];
    if (fits(value)) fields[name] = value;
    else
      errors.push({ pointer: `/${name}`, rule: 'type', found: kindOf(value), message: `"${name}" must be ${form}.` });
  }
  if (errors.length > 0) throw new FieldsRefused('request-refused', errors);
  return fields;
}

/** The text of a field; undefined where it is absent. */
export function textOf(value: Json | undefined): string | undefined {
  return typeof value === 'string' ? value : undefined;
}

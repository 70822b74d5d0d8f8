// What has been signed stays as it was signed (records.md 6.4): a note's text, and that of each signed addendum. An addendum is the only way to
// say something else. Needs the version before, so it is looked at when a record is accepted. Pure.

import { isDeepStrictEqual } from 'node:util';
import { type Json, type JsonObject, objectsAt } from '../../json.ts';
import { type FieldError, kindOf } from '../field-error.ts';
import type { RecordType } from '../record-type.ts';

/** The types whose versions are held against the one before. */
export const signedTypes: readonly RecordType[] = ['note'];

/** What of the versions so far cannot be changed any more. */
export interface Signed {
  /** The newest version that was no deletion mark. */
  readonly content: JsonObject;
  /** Whether it, or a version before it, was signed: neither a deletion nor an entry in error takes the signature back. */
  readonly isSigned: boolean;
}

/** What the new version changes of signed text; empty where it may follow. A deletion mark always may. */
export function changedSignedText(before: Signed | undefined, after: JsonObject): FieldError[] {
  if (before === undefined || after.deleted === true) return [];
  return [...(before.isSigned ? changedNote(before.content, after) : []), ...changedAddenda(before.content, after)];
}

/** What cannot be changed once this version has followed. */
export function signedWith(before: Signed | undefined, after: JsonObject): Signed | undefined {
  if (after.deleted === true) return before;
  return { content: after, isSigned: before?.isSigned === true || isSigned(after) };
}

function isSigned({ status, signedAt }: JsonObject): boolean {
  return signedAt !== undefined && status !== 'draft';
}

const fixedFields: Readonly<Record<string, string>> = {
  text: 'must stay as it was signed. Add an addendum instead, or give another note another id.',
  format: 'must stay as it was signed.',
  sections: 'must stay as they were signed. Add an addendum instead, or give another note another id.',
};

function changedNote(before: JsonObject, after: JsonObject): FieldError[] {
  const changed = Object.entries(fixedFields).flatMap(([name, advice]) =>
    isDeepStrictEqual(before[name], after[name]) ? [] : [refusal(`/${name}`, after[name], `/${name} ${advice}`)],
  );
  if (after.status !== 'draft') return changed;
  const message = '/status cannot be draft again: the note was signed. Send amended, or entered-in-error.';
  return [...changed, refusal('/status', after.status, message)];
}

function changedAddenda(before: JsonObject, after: JsonObject): FieldError[] {
  const now = objectsAt(after, 'addenda');
  return objectsAt(before, 'addenda')
    .filter(({ signedAt }) => signedAt !== undefined)
    .flatMap((signed) => {
      const index = now.findIndex(({ id }) => id === signed.id);
      const addendum = now[index];
      if (addendum === undefined) {
        const message = '/addenda must keep every addendum that was signed. Send the list with all of them.';
        return [refusal('/addenda', after.addenda, message)];
      }
      const pointer = `/addenda/${index}/text`;
      const message = `${pointer} must stay as it was signed. Add another addendum instead.`;
      return isDeepStrictEqual(signed.text, addendum.text) ? [] : [refusal(pointer, addendum.text, message)];
    });
}

function refusal(pointer: string, found: Json | undefined, message: string): FieldError {
  return { pointer, rule: 'signed-text', found: kindOf(found), message };
}

// `{from: path}`: a record's value as it is, in FHIR's form for its kind; with `prefix`, behind a text that tells it from others of its list.

import { isObject, type Json } from '../../json.ts';
import type { Field } from '../../records/records.ts';
import { type Build, type Cursor, fieldAt, isPlainText, isTrue, type Place, rule } from '../build.ts';
import { type AbsorbRun, addIssue, type Lens, replaceUnlessSame, sameJson } from '../lens.ts';
import { presentWhen } from '../one-way.ts';
import type { MapNode, Position } from '../positions.ts';
import { type Form, formFor, text } from '../primitives.ts';
import { type Draft, pointerTo, type RecordPath, reader, writer } from '../scope.ts';

export const copyKeys = ['from', 'display', 'prefix'];

/** The types of FHIR that a prefix may stand in. */
const prefixed = ['string', 'markdown', 'uri', 'url', 'canonical', 'code', 'id'];

export function compileCopy(node: MapNode, cursor: Cursor, place: Place, build: Build): Lens | undefined {
  const from = node.entries.get('from')?.value;
  const found = from && fieldAt(from, cursor, build);
  if (!found) {
    return undefined;
  }
  const display = node.entries.get('display');
  if (isTrue(display?.value) && place.type !== 'Reference') {
    return build.problems.error(
      display?.at ?? node.at,
      `"display" is the text of a Reference; ${place.fact.path} is a ${place.type}.`,
    );
  }
  const plain = formAt(found.field, place, isTrue(display?.value));
  const prefix = node.entries.get('prefix')?.value;
  if (prefix && !prefixed.includes(place.type)) {
    return build.problems.error(prefix.at, `"prefix" stands before a text; ${place.fact.path} is a ${place.type}.`);
  }
  const form = plain && isPlainText(prefix) ? behind(prefix.value, plain) : plain;
  if (!form) {
    return build.problems.error(
      found.at,
      `A ${nameOf(found.field)} does not fit ${place.fact.path}, which is a ${place.type}.`,
    );
  }
  const codes = place.fact.binding?.codes;
  if (place.type === 'code' && codes && found.field.kind === 'code') {
    const strange = found.field.enum?.find((code) => !codes.includes(code));
    if (strange !== undefined || !found.field.enum) {
      const which = strange === undefined ? 'An open list of codes' : `"${strange}"`;
      return build.problems.error(found.at, `${which} does not fit ${place.fact.path}; name a ConceptMap with "code".`);
    }
  }
  const lens = fieldLens(found.path, found.field, form, found.at);
  return isPlainText(prefix)
    ? { ...lens, claims: (raw) => typeof raw === 'string' && raw.startsWith(prefix.value) }
    : lens;
}

/** A text with a prefix of ours; what lacks it is nothing that this form knows. */
function behind(prefix: string, form: Form): Form {
  const rest = (value: Json): string | undefined =>
    typeof value === 'string' && value.startsWith(prefix) ? value.slice(prefix.length) : undefined;
  const mapRest = (value: Json, read: (text: Json) => Json | undefined): Json | undefined => {
    const text = rest(value);
    return text === undefined ? undefined : read(text);
  };
  return {
    toFhir: (value) => {
      const text = form.toFhir(value);
      return typeof text === 'string' ? `${prefix}${text}` : undefined;
    },
    fromFhir: (value) => mapRest(value, form.fromFhir),
    fact: (value) => mapRest(value, form.fact),
  };
}

/** A lens between one record field and one value, by a form. */
function fieldLens(path: RecordPath, field: Field, form: Form, at: Position): Lens {
  const read = reader(path);
  const write = writer(path);
  const here = (raw: Json, { timeZone }: AbsorbRun): Json =>
    timeZone === undefined ? raw : (form.inZone?.(raw, timeZone) ?? raw);
  const lens: Lens = {
    constant: false,
    quiet: true,
    twoWay: true,
    present: presentWhen(read),
    project: (scope, run) => {
      const value = read(scope);
      const projected = value === undefined ? undefined : form.toFhir(value);
      if (value !== undefined && projected === undefined) {
        addIssue(
          run,
          'does-not-fit',
          `This ${field.kind} has no valid form here and was left out.`,
          rule(at),
          pointerTo(scope, path),
        );
      }
      return projected;
    },
    fact: form.fact,
    claims: () => true,
    put: (raw, old) => replaceUnlessSame(lens, raw, old),
    ...(form.inZone && {
      agrees: (raw: Json, draft: Draft, run: AbsorbRun): boolean => {
        const now = read(draft);
        return now !== undefined && sameJson(form.fact(here(raw, run)), form.fact(now));
      },
    }),
    absorb: (theirs, draft, run) => {
      const raw = theirs === undefined ? undefined : here(theirs, run);
      const now = read(draft);
      const projected = now === undefined ? undefined : form.toFhir(now);
      const wanted = raw === undefined ? undefined : form.fact(raw);
      if (
        (raw === undefined) === (wanted === undefined) &&
        sameJson(wanted, projected === undefined ? undefined : form.fact(projected))
      ) {
        return;
      }
      if (raw === undefined) {
        removeField(
          () => write(draft, undefined),
          field,
          now,
          (message) => addIssue(run, 'required-field', message, rule(at)),
        );
        return;
      }
      // What cannot be read is not gone.
      const value = wanted === undefined ? undefined : form.fromFhir(raw);
      if (value === undefined) {
        addIssue(
          run,
          'does-not-fit',
          `What the other side holds is no valid ${field.kind}.`,
          rule(at),
          pointerTo(draft, path),
        );
      } else {
        write(draft, value);
      }
    },
  };
  return lens;
}

/** Takes a field back unless the record cannot be without it. */
export function removeField(
  remove: () => void,
  field: Field,
  now: Json | undefined,
  refuse: (message: string) => void,
): void {
  if (now === undefined) {
    return;
  }
  if (field.required) {
    refuse('The other side has removed this, but the record cannot be without it.');
  } else {
    remove();
  }
}

function formAt(field: Field, place: Place, display: boolean): Form | undefined {
  if (field.list) {
    return undefined;
  }
  if (place.type === 'CodeableConcept') {
    return inside('text', formFor(field, 'string'));
  }
  if (place.type === 'Reference' && display) {
    return inside('display', formFor(field, 'string'));
  }
  return formFor(field, place.type);
}

/** A text as the only part of a concept or reference. */
function inside(name: 'text' | 'display', form: Form | undefined): Form | undefined {
  if (!form) {
    return undefined;
  }
  const partOf = (value: Json): Json | undefined => (isObject(value) ? value[name] : undefined);
  const isBare = (value: Json): boolean =>
    isObject(value) && value.reference === undefined && value.coding === undefined;
  return {
    toFhir: (value) => {
      const words = form.toFhir(value);
      return words === undefined ? undefined : { [name]: words };
    },
    fromFhir: (value) => {
      const words = partOf(value);
      return words === undefined ? undefined : form.fromFhir(words);
    },
    fact: (value) => {
      const words = isBare(value) ? text(partOf(value) ?? '') : undefined;
      return words === undefined ? undefined : { [name]: words };
    },
  };
}

function nameOf(field: Field): string {
  return field.list ? `list of ${field.kind}` : field.kind;
}

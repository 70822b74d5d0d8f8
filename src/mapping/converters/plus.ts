// `{from: startsAt, plus: minutes}`: an instant so many minutes after another one, with its offset. Without minutes it is the instant itself.

import { type Build, type Cursor, fieldAt, type Place } from '../build.ts';
import { type Lens, replaceUnlessSame } from '../lens.ts';
import { oneWay, presentWhen } from '../one-way.ts';
import type { MapNode } from '../positions.ts';
import { formFor } from '../primitives.ts';
import { reader } from '../scope.ts';

export const plusKeys = ['from', 'plus'];

export function compilePlus(node: MapNode, cursor: Cursor, place: Place, build: Build): Lens | undefined {
  const from = node.entries.get('from')?.value;
  const plus = node.entries.get('plus')?.value;
  const start = from && fieldAt(from, cursor, build);
  const minutes = plus && fieldAt(plus, cursor, build);
  if (!start || !minutes) {
    return undefined;
  }
  const form = start.field.kind === 'instant' && !start.field.list ? formFor(start.field, place.type) : undefined;
  if (!form || minutes.field.kind !== 'integer') {
    return build.problems.error(start.at, '"plus" adds a whole number of minutes to an instant.');
  }
  const readStart = reader(start.path);
  const readMinutes = reader(minutes.path);
  const lens: Lens = {
    constant: false,
    twoWay: false,
    present: presentWhen(readStart),
    project: (scope) => {
      const begun = readStart(scope);
      const length = readMinutes(scope);
      const value = begun === undefined ? undefined : form.toFhir(begun);
      return typeof value === 'string' ? later(value, typeof length === 'number' ? length : 0) : undefined;
    },
    fact: form.fact,
    claims: () => true,
    put: (raw, old) => replaceUnlessSame(lens, raw, old),
    absorb: () => undefined,
  };
  return oneWay(lens);
}

/** The instant in the offset that it came with. */
function later(instant: string, minutes: number): string {
  const [, offset = 'Z'] = /(Z|[+-]\d{2}:\d{2})$/.exec(instant) ?? [];
  const [hours = 0, rest = 0] = offset === 'Z' ? [] : offset.slice(1).split(':').map(Number);
  const ahead = (offset.startsWith('-') ? -1 : 1) * (hours * 60 + rest);
  const local = new Date(Date.parse(instant.replace(/:60(?=[.Z+-])/, ':59')) + (minutes + ahead) * 60_000);
  return `${local.toISOString().slice(0, 19)}${offset}`;
}

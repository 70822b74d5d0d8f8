// `{from: instrument, canonical: Questionnaire}`: the canonical of one of our own definitions, which hang below the identifier system.

import { isResourceType, resourceTypes } from '../../fhir/fhir.ts';
import type { Json } from '../../json.ts';
import { didYouMean } from '../../nearest.ts';
import { type Build, type Cursor, fieldAt, isPlainText, type Place } from '../build.ts';
import { type Lens, replaceUnlessSame } from '../lens.ts';
import { oneWay, presentWhen } from '../one-way.ts';
import type { MapNode } from '../positions.ts';
import { text } from '../primitives.ts';
import { reader } from '../scope.ts';

export const canonicalKeys = ['from', 'canonical'];

export function compileCanonical(node: MapNode, cursor: Cursor, place: Place, build: Build): Lens | undefined {
  const from = node.entries.get('from')?.value;
  const type = node.entries.get('canonical')?.value;
  const found = from && fieldAt(from, cursor, build);
  if (!found) {
    return undefined;
  }
  if (!isPlainText(type) || place.type !== 'canonical' || found.field.kind !== 'code') {
    return build.problems.error(found.at, '"canonical" names a resource type, for a code and an element of that type.');
  }
  if (!isResourceType(type.value)) {
    return build.problems.error(
      type.at,
      `R4 has no resource type "${type.value}".${didYouMean(type.value, resourceTypes)}`,
    );
  }
  const read = reader(found.path);
  const codeIn = (raw: Json): string | undefined => {
    const parts = typeof raw === 'string' ? raw.split('/') : [];
    return parts.at(-2) === type.value ? parts.at(-1) : undefined;
  };
  const lens: Lens = {
    constant: false,
    twoWay: false,
    present: presentWhen(read),
    project: (scope, run) => {
      const code = read(scope);
      return typeof code === 'string' ? `${run.context.identifierSystem}/${type.value}/${code}` : undefined;
    },
    // Whoever's identifier system it hangs below.
    fact: (raw) => codeIn(raw) ?? text(raw),
    claims: (raw) => codeIn(raw) !== undefined,
    put: (raw, old) => replaceUnlessSame(lens, raw, old),
    absorb: () => undefined,
  };
  return oneWay(lens);
}

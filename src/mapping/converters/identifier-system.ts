// `{identifierSystem: kind, own: system}`: the system of an identifier, from the record, the connection's configuration, or the
// systems that are the same everywhere (npi). An identifier without a system means nothing elsewhere, so it is left out, and told.

import type { Json } from '../../json.ts';
import { type Build, type Cursor, fieldAt, type Place, rule } from '../build.ts';
import { addIssue, type Lens, replaceUnlessSame } from '../lens.ts';
import type { MapNode } from '../positions.ts';
import { text } from '../primitives.ts';
import { pointerTo, reader, writer } from '../scope.ts';

export const identifierSystemKeys = ['identifierSystem', 'own'];

export function compileIdentifierSystem(node: MapNode, cursor: Cursor, place: Place, build: Build): Lens | undefined {
  const kindNode = node.entries.get('identifierSystem')?.value;
  const ownNode = node.entries.get('own')?.value;
  const kind = kindNode && fieldAt(kindNode, cursor, build);
  const own = ownNode && fieldAt(ownNode, cursor, build);
  if (!kind || (ownNode && !own)) {
    return undefined;
  }
  if (place.type !== 'uri') {
    return build.problems.error(node.at, `${place.fact.path} is a ${place.type}, not the system of an identifier.`);
  }
  const readKind = reader(kind.path);
  const readOwn = own ? reader(own.path) : (): Json | undefined => undefined;
  const writeOwn = own && writer(own.path);
  const everywhere = build.systems.identifiers;
  const lens: Lens = {
    constant: true,
    twoWay: true,
    present: () => true,
    project: (scope, run) => {
      const given = readOwn(scope);
      const name = readKind(scope);
      if (given !== undefined || typeof name !== 'string') {
        return given;
      }
      const { identifierSystems } = run.context;
      const system =
        (Object.hasOwn(identifierSystems, name) ? identifierSystems[name] : undefined) ?? everywhere.get(name);
      if (system === undefined && run.blind) {
        run.unknown = true;
        return 'urn:unknown';
      }
      if (system === undefined) {
        addIssue(
          run,
          'no-identifier-system',
          `No system is configured for identifiers of kind ${name} (identifierSystems of the connection), and the record names none.`,
          rule(node.at),
          pointerTo(scope, kind.path),
        );
      }
      return system;
    },
    fact: (raw) => text(raw),
    claims: () => true,
    put: (raw, old) => replaceUnlessSame(lens, raw, old),
    absorb: (raw, draft) => {
      // A configured system is not the record's: only an item that has its own, or is new, takes it over.
      const isNew = readKind(draft) === undefined;
      const system = raw === undefined ? undefined : text(raw);
      if (system !== undefined && writeOwn && (isNew || readOwn(draft) !== undefined)) {
        writeOwn(draft, system);
      }
    },
  };
  return lens;
}

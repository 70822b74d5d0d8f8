// Short names for code systems, identifier systems and extension URLs (mappings/systems.yaml), so that rules stay readable.

import { didYouMean } from '../nearest.ts';
import type { MapEntry, MapNode, Position, Problems } from './positions.ts';

export interface Systems {
  /** Alias -> canonical URL. */
  readonly urls: ReadonlyMap<string, string>;
  /** Identifier kinds whose system is the same everywhere (npi). */
  readonly identifiers: ReadonlyMap<string, string>;
}

export interface Coding {
  readonly system?: string;
  readonly code: string;
  readonly display?: string;
}

export const noSystems: Systems = { urls: new Map(), identifiers: new Map() };

export function compileSystems(root: MapNode, problems: Problems): Systems {
  const urls = new Map<string, string>();
  const identifiers = new Map<string, string>();
  for (const entry of root.entries.values()) {
    const { name, value } = entry;
    if (name !== 'identifiers') {
      addUrl(entry, urls, problems);
    } else if (value.kind === 'map') {
      for (const identifier of value.entries.values()) addUrl(identifier, identifiers, problems);
    } else {
      problems.error(value.at, '"identifiers" is a map from kinds of identifiers to their systems.');
    }
  }
  return { urls, identifiers };
}

function addUrl({ name, at, value }: MapEntry, urls: Map<string, string>, problems: Problems): void {
  if (value.kind === 'scalar' && typeof value.value === 'string' && /^(https?|urn):\S+$/.test(value.value)) {
    urls.set(name, value.value);
  } else {
    problems.error(at, `"${name}" must name a URL (http:, https: or urn:).`);
  }
}

/** The URL behind an alias; tells a problem and answers undefined for an unknown one. */
export function urlOf(alias: string, systems: Systems, at: Position, problems: Problems): string | undefined {
  const url = systems.urls.get(alias);
  if (url === undefined) {
    problems.error(at, `systems.yaml has no "${alias}".${didYouMean(alias, systems.urls.keys())}`);
  }
  return url;
}

/** Reads `alias#code`. */
export function codingOf(text: string, systems: Systems, at: Position, problems: Problems): Coding | undefined {
  const [alias, code, ...more] = text.split('#');
  if (alias === undefined || code === undefined || code === '' || more.length > 0) {
    return problems.error(at, `"${text}" must be written as alias#code, with an alias of systems.yaml.`);
  }
  const system = urlOf(alias, systems, at, problems);
  return system === undefined ? undefined : { system, code };
}

/** The system of a local code list, below our identifier system. */
export function localSystem(identifierSystem: string, name: string): string {
  return `${identifierSystem}/CodeSystem/${name}`;
}

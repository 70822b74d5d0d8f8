// Expands value sets as far as the definitions at hand allow (https://hl7.org/fhir/R4/valueset.html#compositions).
// What needs a terminology server stays known by its code systems only.

import type { ValueSetFacts } from '../facts.ts';
import type { CodeSystem, Concept, Library, ValueSetPart } from './definitions.ts';
import { withoutVersion } from './definitions.ts';

interface Expansion {
  /** `system|code` */
  readonly codes: Set<string>;
  readonly systems: Set<string>;
}

/** A value set with more codes is known by its code systems only: facts are meant to be read whole. */
const mostCodes = 20_000;

/** What is known of a value set; undefined when nothing is. */
export function valueSetFacts(library: Library, url: string): ValueSetFacts | undefined {
  const expansion = new Expander(library).expand(url);
  if (!expansion) {
    return undefined;
  }
  const codes = new Map<string, string[]>();
  for (const key of [...expansion.codes].sort()) {
    const cut = key.indexOf('|');
    const system = key.slice(0, cut);
    const list = codes.get(system) ?? [];
    list.push(key.slice(cut + 1));
    codes.set(system, list);
  }
  const systems = [...expansion.systems].sort();
  return { codes: Object.fromEntries(codes), ...(systems.length > 0 && { systems }) };
}

class Expander {
  readonly #library: Library;
  /** Each is expanded once, and one that holds itself not at all. */
  readonly #known = new Map<string, Expansion | undefined>();

  constructor(library: Library) {
    this.#library = library;
  }

  expand(canonical: string): Expansion | undefined {
    const url = withoutVersion(canonical);
    if (!this.#known.has(url)) {
      this.#known.set(url, undefined);
      this.#known.set(url, this.#expandOnce(url));
    }
    return this.#known.get(url);
  }

  #expandOnce(url: string): Expansion | undefined {
    const compose = this.#library.valueSets.get(url)?.compose;
    if (!compose) {
      return undefined;
    }
    const whole: Expansion = { codes: new Set(), systems: new Set() };
    for (const part of compose.include) {
      const found = this.#expandPart(part);
      if (!found) {
        return undefined;
      }
      found.codes.forEach((code) => {
        whole.codes.add(code);
      });
      found.systems.forEach((system) => {
        whole.systems.add(system);
      });
    }
    for (const part of compose.exclude ?? []) {
      // An exclusion that cannot be expanded leaves too much in: a check then refuses less, never more.
      this.#expandPart(part)?.codes.forEach((code) => {
        whole.codes.delete(code);
      });
    }
    return whole.codes.size > mostCodes ? bySystem(whole) : whole;
  }

  #expandPart(part: ValueSetPart): Expansion | undefined {
    if (!part.system) {
      const parts = (part.valueSet ?? []).map((url) => this.expand(url));
      return parts.length === 1 ? parts[0] : undefined;
    }
    const { system } = part;
    if (part.concept) {
      return { codes: new Set(part.concept.map(({ code }) => `${system}|${code}`)), systems: new Set() };
    }
    const codes = systemCodes(this.#library.codeSystems.get(system), part.filter);
    return codes
      ? { codes: new Set(codes.map((code) => `${system}|${code}`)), systems: new Set() }
      : { codes: new Set(), systems: new Set([system]) };
  }
}

function bySystem({ codes, systems }: Expansion): Expansion {
  const all = [...codes].map((key) => key.slice(0, key.indexOf('|')));
  return { codes: new Set(), systems: new Set([...systems, ...all]) };
}

/** All codes of a complete code system, or those below one concept; undefined when the definitions do not say. */
function systemCodes(codeSystem: CodeSystem | undefined, filters: ValueSetPart['filter']): string[] | undefined {
  if (codeSystem?.content !== 'complete' || !codeSystem.concept) {
    return undefined;
  }
  if (!filters) {
    return descendants(codeSystem.concept);
  }
  const [filter, ...more] = filters;
  if (filter?.property !== 'concept' || filter.op !== 'is-a' || more.length > 0) {
    return undefined;
  }
  const root = findConcept(codeSystem.concept, filter.value);
  return root && descendants([root]);
}

function descendants(concepts: readonly Concept[]): string[] {
  return concepts.flatMap(({ code, concept }) => [code, ...descendants(concept ?? [])]);
}

function findConcept(concepts: readonly Concept[], code: string): Concept | undefined {
  for (const concept of concepts) {
    const found = concept.code === code ? concept : findConcept(concept.concept ?? [], code);
    if (found) {
      return found;
    }
  }
  return undefined;
}

// What searches see: the newest published version of each resource, and an index per search parameter that is built at its first use and
// kept up to date afterwards. Publishing may lag behind the truth, as the index of a busy server does.

import { indexKey, type SearchValue } from '../../fhir/fhir.ts';
import type { SearchFilter, SearchParameterFact } from './definitions.ts';
import { valuesOf } from './search-values.ts';
import type { Version } from './store.ts';

export class SearchView {
  readonly #types = new Map<string, TypeView>();
  #pending: { due: number; version: Version }[] = [];

  /** Makes committed versions visible `lag` milliseconds after `now`; once more changes nothing. */
  publish(versions: readonly Version[], now: number, lag: number): void {
    for (const version of versions) {
      if (lag === 0 && this.#pending.length === 0) this.#view(version.resourceType).show(version);
      else this.#pending.push({ due: now + lag, version });
    }
  }

  /** Makes visible what is due. Called before each search. */
  settle(now: number): void {
    if (this.#pending.length === 0) return;
    const waiting = this.#pending.filter(({ due }) => due > now);
    for (const { due, version } of this.#pending) if (due <= now) this.#view(version.resourceType).show(version);
    this.#pending = waiting;
  }

  /** The visible versions that pass all filters, in order of creation. */
  find(resourceType: string, filters: readonly SearchFilter[]): Version[] {
    return this.#view(resourceType).find(filters);
  }

  /** The values of a parameter in a visible version, for sorting and chains. */
  values(parameter: SearchParameterFact, version: Version): readonly SearchValue[] {
    return this.#view(version.resourceType).values(parameter, version.id);
  }

  /** The visible version of one resource. */
  get(resourceType: string, id: string): Version | undefined {
    return this.#types.get(resourceType)?.visible.get(id)?.version;
  }

  clear(): void {
    this.#types.clear();
    this.#pending = [];
  }

  #view(resourceType: string): TypeView {
    const view = this.#types.get(resourceType) ?? new TypeView();
    this.#types.set(resourceType, view);
    return view;
  }
}

interface Visible {
  readonly version: Version;
  /** Place in the order of creation. */
  readonly place: number;
}

class TypeView {
  readonly visible = new Map<string, Visible>();
  readonly #indexes = new Map<string, ParameterIndex>();
  #lastPlace = 0;

  show(version: Version): void {
    const before = this.visible.get(version.id);
    // Shown already; or, with a lag, due out of order because the clock was set back.
    if (before !== undefined && before.version.number >= version.number) return;
    for (const index of this.#indexes.values()) index.remove(version.id);
    if (version.resource === undefined) {
      this.visible.delete(version.id);
      return;
    }
    this.#lastPlace += 1;
    this.visible.set(version.id, { version, place: before?.place ?? this.#lastPlace });
    for (const index of this.#indexes.values()) index.add(version);
  }

  find(filters: readonly SearchFilter[]): Version[] {
    const tests = filters.map((filter) => ({ filter, values: this.#index(filter.parameter).values }));
    const passing: Visible[] = [];
    for (const candidate of this.#candidates(filters)) {
      const { id } = candidate.version;
      if (tests.every(({ filter, values }) => filter.test(values.get(id) ?? []))) passing.push(candidate);
    }
    return passing.sort((one, other) => one.place - other.place).map(({ version }) => version);
  }

  values(parameter: SearchParameterFact, id: string): readonly SearchValue[] {
    return this.#index(parameter).values.get(id) ?? [];
  }

  /** The smallest set that an index offers, or everything. */
  #candidates(filters: readonly SearchFilter[]): Iterable<Visible> {
    let smallest: Set<string> | undefined;
    for (const { parameter, keys } of filters) {
      if (keys === undefined) continue;
      const ids = this.#index(parameter).idsOf(keys);
      if (smallest === undefined || ids.size < smallest.size) smallest = ids;
    }
    if (smallest === undefined) return this.visible.values();
    return [...smallest].flatMap((id) => this.visible.get(id) ?? []);
  }

  #index(parameter: SearchParameterFact): ParameterIndex {
    const existing = this.#indexes.get(parameter.code);
    if (existing !== undefined) return existing;
    const index = new ParameterIndex(parameter);
    for (const { version } of this.visible.values()) index.add(version);
    this.#indexes.set(parameter.code, index);
    return index;
  }
}

class ParameterIndex {
  readonly values = new Map<string, readonly SearchValue[]>();
  readonly #parameter: SearchParameterFact;
  readonly #ids = new Map<string, Set<string>>();

  constructor(parameter: SearchParameterFact) {
    this.#parameter = parameter;
  }

  add(version: Version): void {
    const values = valuesOf(this.#parameter, version);
    this.values.set(version.id, values);
    for (const key of keysOf(values)) {
      const ids = this.#ids.get(key) ?? new Set();
      this.#ids.set(key, ids.add(version.id));
    }
  }

  remove(id: string): void {
    for (const key of keysOf(this.values.get(id) ?? [])) {
      const ids = this.#ids.get(key);
      ids?.delete(id);
      if (ids?.size === 0) this.#ids.delete(key);
    }
    this.values.delete(id);
  }

  idsOf(keys: readonly string[]): Set<string> {
    const sets = keys.map((key) => this.#ids.get(key) ?? new Set<string>());
    const [only] = sets;
    return sets.length === 1 && only !== undefined ? only : new Set(sets.flatMap((ids) => [...ids]));
  }
}

function keysOf(values: readonly SearchValue[]): string[] {
  return values.map(indexKey).filter((key) => key !== undefined);
}

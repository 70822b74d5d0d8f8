// The truth of one simulated server: every version of every resource, in memory. Versions are immutable and are shared, never copied.
// All changes of one request happen inside `transact`: kept together or undone together.

import { isDeepStrictEqual } from 'node:util';
import { isObject, type JsonObject } from '../../json.ts';

export type VersionMethod = 'POST' | 'PUT' | 'PATCH' | 'DELETE';

/** One version of a resource. */
export interface Version {
  readonly resourceType: string;
  readonly id: string;
  /** 1, 2, 3 … per resource. */
  readonly number: number;
  /** Milliseconds since 1970 on the server's clock. */
  readonly at: number;
  readonly method: VersionMethod;
  /** True for the first version and for one that brings a deleted resource back. */
  readonly created: boolean;
  /** With id, meta.versionId and meta.lastUpdated; absent in the version that deleted it. */
  readonly resource?: JsonObject;
}

export class Store {
  readonly #types = new Map<string, Map<string, Version[]>>();
  readonly #written: Version[] = [];
  #depth = 0;
  #lastId = 0;

  /** The newest version, also when that is a deletion. */
  newest(resourceType: string, id: string): Version | undefined {
    return this.#types.get(resourceType)?.get(id)?.at(-1);
  }

  /** Whether the resource exists and is not deleted. */
  has(resourceType: string, id: string): boolean {
    return this.newest(resourceType, id)?.resource !== undefined;
  }

  /** Oldest first. */
  versions(resourceType: string, id: string): readonly Version[] {
    return this.#types.get(resourceType)?.get(id) ?? [];
  }

  /** The newest versions of a type, without deleted ones, in order of creation. */
  *all(resourceType: string): Generator<Version> {
    for (const versions of this.#types.get(resourceType)?.values() ?? []) {
      const newest = versions.at(-1);
      if (newest?.resource !== undefined) yield newest;
    }
  }

  get resourceTypes(): readonly string[] {
    return [...this.#types.keys()];
  }

  /** An id that no resource of the type has: 1, 2, 3 … over all types, so that a run repeats with the same ids. */
  unusedId(resourceType: string): string {
    do this.#lastId += 1;
    while (this.newest(resourceType, String(this.#lastId)) !== undefined);
    return String(this.#lastId);
  }

  /** Adds a version; `content` without a resource deletes. Only inside `transact`. */
  write(resourceType: string, id: string, content: JsonObject | undefined, method: VersionMethod, at: number): Version {
    const versions = this.#versionsOf(resourceType, id);
    const number = versions.length + 1;
    const created = versions.at(-1)?.resource === undefined;
    const resource = content === undefined ? undefined : stamp(resourceType, id, number, at, content);
    const version: Version = { resourceType, id, number, at, method, created, ...(resource && { resource }) };
    versions.push(version);
    this.#written.push(version);
    return version;
  }

  /**
   * Runs `work`; what it throws undoes what it wrote. May be nested: an inner one undoes only its own part.
   * @returns the result and the versions written, in order.
   */
  transact<T>(work: () => T): { result: T; written: readonly Version[] } {
    const mark = this.#written.length;
    this.#depth += 1;
    try {
      const result = work();
      return { result, written: this.#written.slice(mark) };
    } catch (error) {
      this.#undo(mark);
      throw error;
    } finally {
      this.#depth -= 1;
      if (this.#depth === 0) this.#written.length = 0;
    }
  }

  clear(): void {
    this.#types.clear();
    this.#lastId = 0;
  }

  #versionsOf(resourceType: string, id: string): Version[] {
    const resources = this.#types.get(resourceType) ?? new Map<string, Version[]>();
    this.#types.set(resourceType, resources);
    const versions = resources.get(id) ?? [];
    resources.set(id, versions);
    return versions;
  }

  #undo(mark: number): void {
    for (const { resourceType, id } of this.#written.splice(mark).reverse()) {
      const resources = this.#types.get(resourceType);
      const versions = resources?.get(id);
      versions?.pop();
      if (versions?.length === 0) resources?.delete(id);
    }
  }
}

/** Whether two resources say the same, leaving aside what the server stamps (meta.versionId, meta.lastUpdated). */
export function sameContent(one: JsonObject, other: JsonObject): boolean {
  return isDeepStrictEqual(unstamped(one), unstamped(other));
}

function stamp(resourceType: string, id: string, number: number, at: number, content: JsonObject): JsonObject {
  const { resourceType: _resourceType, id: _id, meta, ...elements } = content;
  const own = isObject(meta) ? meta : {};
  return {
    resourceType,
    id,
    meta: { ...own, versionId: String(number), lastUpdated: new Date(at).toISOString() },
    ...elements,
  };
}

function unstamped(resource: JsonObject): JsonObject {
  const { meta, ...rest } = resource;
  if (!isObject(meta)) return rest;
  const { versionId: _versionId, lastUpdated: _lastUpdated, ...ownMeta } = meta;
  return Object.keys(ownMeta).length === 0 ? rest : { ...rest, meta: ownMeta };
}

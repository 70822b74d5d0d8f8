// Small faults in mapping files: each mutant is one file with one thing changed that somebody could get wrong.

import { isMap, isScalar, isSeq, type Pair, parseDocument, type Scalar, visit, type YAMLMap } from 'yaml';

export interface Mutant {
  readonly path: string;
  readonly line: number;
  /** What was done. */
  readonly what: string;
  readonly text: string;
}

interface File {
  readonly path: string;
  readonly text: string;
}

/** Texts for readers: changing them changes no rule. */
const words = ['about', 'version', 'source', 'unused', 'oneWay', 'report', 'display'];

/** What a slot may go without and still be one; that one of these is lost is a fault. */
const removable = [
  'when',
  'where',
  'owner',
  'moves',
  'goesWith',
  'derived',
  'requires',
  'distinct',
  'required',
  'unmapped',
  'text',
  'retired',
  'was',
  'key',
  'by',
  'pick',
  'via',
];

/** All mutants of a mapping file or a ConceptMap, in the order of its lines. */
export function mutantsOf(file: File): Mutant[] {
  return sites(file.text).map(({ line, what, at }) => ({ path: file.path, line, what, text: applied(file.text, at) }));
}

interface Site {
  readonly line: number;
  readonly what: string;
  /** Number of the change among all changes of the file. */
  readonly at: number;
}

function sites(text: string): Site[] {
  const found: Site[] = [];
  walk(text, (line, what) => {
    found.push({ line, what, at: found.length });
    return false;
  });
  return found;
}

function applied(text: string, wanted: number): string {
  let at = -1;
  return walk(text, () => {
    at += 1;
    return at === wanted;
  });
}

/** Offers each change; the first that is taken is made. @returns the text afterwards */
function walk(text: string, offer: (line: number, what: string) => boolean): string {
  const document = parseDocument(text);
  const lineOf = (offset: number): number => text.slice(0, offset).split('\n').length;
  let isDone = false;
  const offered = (node: { range?: readonly number[] | null } | null, what: string, change: () => void): void => {
    if (isDone || !offer(lineOf(node?.range?.[0] ?? 0), what)) return;
    change();
    isDone = true;
  };
  visit(document, {
    Pair(_, pair, path) {
      if (isDone) return visit.BREAK;
      const name = isScalar(pair.key) ? String(pair.key.value) : '';
      if (words.includes(name)) return visit.SKIP;
      const parent = path.at(-1);
      if (isMap(parent)) mutatePair(name, pair, parent, isInside(path, 'codes') || isInside(path, 'back'), offered);
      return undefined;
    },
    Seq(_, seq) {
      if (isDone) return visit.BREAK;
      for (const [at, item] of seq.items.entries()) {
        if (seq.items.length > 1)
          offered(item as Scalar, `item ${at + 1} of ${seq.items.length} removed`, () => seq.items.splice(at, 1));
      }
      return undefined;
    },
  });
  return document.toString({ lineWidth: 0 });
}

type Offer = (node: { range?: readonly number[] | null } | null, what: string, change: () => void) => void;

function mutatePair(name: string, pair: Pair, parent: YAMLMap, isCode: boolean, offer: Offer): void {
  const key = pair.key as Scalar;
  const { value } = pair;
  const isElement = isMap(value) || isSeq(value);
  if (removable.includes(name) || isElement || isCode) {
    offer(key, `"${name}" removed`, () => parent.delete(name));
  }
  if (!isScalar(value)) return;
  const old = value.value;
  if (typeof old === 'boolean') {
    offer(value, `"${name}: ${old}" turned round`, () => {
      value.value = !old;
    });
  }
  if (old === 'present' || old === 'absent') {
    offer(value, `"${name}: ${old}" turned round`, () => {
      value.value = old === 'present' ? 'absent' : 'present';
    });
    return;
  }
  const other = otherValue(name, old, parent, isCode);
  if (other !== undefined) {
    offer(value, `"${name}: ${old}" became ${other}`, () => {
      value.value = other;
    });
  }
}

/** A value of the same kind that means something else. */
function otherValue(name: string, old: unknown, parent: YAMLMap, isCode: boolean): string | undefined {
  if (typeof old !== 'string') return undefined;
  const siblings = parent.items.flatMap(({ value }) =>
    isScalar(value) && typeof value.value === 'string' ? [value.value] : [],
  );
  if (isCode) return siblings.find((sibling) => sibling !== old);
  if (name === 'owner') return old === 'remote' ? 'source' : 'remote';
  if (name === 'by') return old === 'id' ? 'content' : 'id';
  if (name === 'from') return otherFields[old] ?? undefined;
  return undefined;
}

/** Fields that stand beside each other and are easily taken for one another. */
const otherFields: Readonly<Record<string, string>> = {
  startsOn: 'endsOn',
  endsOn: 'startsOn',
  startsAt: 'endsAt',
  endsAt: 'startsAt',
  requestedAt: 'sentAt',
  sentAt: 'requestedAt',
  neededFrom: 'neededBy',
  neededBy: 'neededFrom',
  openedOn: 'closedOn',
  closedOn: 'openedOn',
  low: 'high',
  high: 'low',
  from: 'to',
  to: 'from',
  validFrom: 'validTo',
  validTo: 'validFrom',
  organizationId: 'requesterOrganizationId',
  requesterOrganizationId: 'organizationId',
  identifiedOn: 'resolvedOn',
  resolvedOn: 'identifiedOn',
  createdAt: 'updatedAt',
  at: 'updatedAt',
  phone: 'email',
  email: 'phone',
  title: 'summary',
  summary: 'title',
  city: 'county',
  county: 'city',
  name: 'description',
  description: 'name',
  signedAt: 'revokedAt',
  'period.from': 'period.to',
  'period.to': 'period.from',
  'name.given': 'name.family',
  'name.family': 'name.given',
  text: 'byName',
  byName: 'text',
};

function isInside(path: readonly unknown[], name: string): boolean {
  return path.some(
    (node) =>
      typeof node === 'object' && node !== null && 'key' in node && isScalar(node.key) && node.key.value === name,
  );
}

// The search interaction of this server: what matches, what is left out and said so in an entry of its own, and pages that are fetched by a
// session (E12-E18, E20, E21, E27, E33).

import type { JsonObject } from '../../../json.ts';
import { included } from '../../engine/include.ts';
import { Refusal } from '../../engine/outcome.ts';
import { includeRules } from '../../engine/search-request.ts';
import type { Version } from '../../engine/store.ts';
import { searchset } from './bundle.ts';
import { type Criteria, checkRequired, filtersOf, type Query, readCriteria, searchedPatient } from './criteria.ts';
import type { Offer } from './offer.ts';
import type { EpicIssue } from './outcome.ts';
import type { Sessions } from './paging.ts';
import { redirected } from './patients.ts';
import { hasQuirk } from './settings.ts';
import { checkAccess, patientIdOf, type Site } from './site.ts';

const mostPatients = 100;
const mostPerPage = 1000;

/**
 * @param query of the URL, or of the form of `_search` (E27)
 * @throws EpicRefusal, or Refusal for ill-formed values
 */
export function search(site: Site, sessions: Sessions, type: string, offer: Offer, query: Query): JsonObject {
  const sessionId = query.find(([name]) => name === 'sessionID')?.[1];
  if (sessionId !== undefined) return sessions.page(site, type, sessionId);
  const criteria = readCriteria(site, offer, query);
  checkRequired(site, type, offer, criteria);
  const patientId = searchedPatient(site, criteria);
  if (patientId !== undefined) redirected(site, patientId, `${type}?${survivorQuery(site, query, patientId)}`);
  checkAccess(site, patientId);
  const found = matches(site, type, criteria);
  const allowed = found.filter(({ resource = {} }) => site.rights.covers(resource, 's'));
  const open = allowed.filter(({ resource = {} }) => !isRestricted(site, resource));
  const notes = [...missingKinds(site, type, query), ...(open.length < allowed.length ? [restrictedNote] : [])];
  if (type === 'Patient' && open.length > mostPatients && hasQuirk(site.settings, 'E18')) {
    const diagnostics = `More than ${mostPatients} patients match; add criteria.`;
    return searchset(
      site,
      selfUrl(site, type, query),
      [],
      [...notes, { number: '4127', diagnostics }, ...criteria.ignored],
    );
  }
  const last = (wanted: string) => query.findLast(([name]) => name === wanted)?.[1];
  if (last('_summary') === 'count')
    return { ...searchset(site, selfUrl(site, type, query), [], []), total: open.length };
  const count = pageSize(last('_count'));
  const added = (page: readonly Version[]) => extra(site, page, query);
  const issues = open.length === 0 && hasQuirk(site.settings, 'E14') ? [...notes, noResults] : notes;
  const outcome = issues.length === 0 ? [] : [...issues, ...criteria.ignored];
  const self = selfUrl(site, type, query);
  return sessions.first(site, type, { versions: open, total: open.length, count, outcome, self, added });
}

const noResults: EpicIssue = { number: '4101', diagnostics: 'Nothing matches.' };
const restrictedNote: EpicIssue = { number: '4134', diagnostics: 'A patient was left out.' };

function matches(site: Site, type: string, criteria: Criteria): Version[] {
  const { view, clock } = site.engine;
  const filters = filtersOf(site, type, criteria);
  view.settle(clock.now());
  const found = view.find(type, filters);
  return type === 'Patient' ? found.filter(({ id }) => site.settings.merged[id] === undefined) : found;
}

/** Parts of the type that are not granted, unless the search asks for another part only. */
function missingKinds({ rights, settings }: Site, type: string, query: Query): EpicIssue[] {
  if (!hasQuirk(settings, 'E15')) return [];
  const asked = query.filter(([name]) => name === 'category').flatMap(([, value]) => value.split(','));
  return rights
    .missing(type)
    .filter(({ system, code }) => asked.length === 0 || asked.includes(code) || asked.includes(`${system}|${code}`))
    .map(({ name }) => ({ number: '59204', diagnostics: `Client not authorized for ${type} - ${name}.` }));
}

function isRestricted({ settings, base }: Site, resource: JsonObject): boolean {
  return settings.restricted.includes(patientIdOf(resource, base) ?? '');
}

/** What `_include` adds; what cannot be included is ignored, as every unknown parameter is. */
function extra(site: Site, page: readonly Version[], query: Query): Version[] {
  const rules = query.flatMap(([name, value]) => {
    try {
      return name === '_include' ? includeRules(site.engine, name, value) : [];
    } catch (error) {
      if (error instanceof Refusal) return [];
      throw error;
    }
  });
  return included(site.engine, page, rules).filter(
    ({ resourceType, resource = {} }) => site.rights.may(resourceType, 'r') && !isRestricted(site, resource),
  );
}

function pageSize(text: string | undefined): number | undefined {
  const wanted = text !== undefined && /^[1-9]\d{0,8}$/.test(text) ? Number(text) : undefined;
  return wanted === undefined ? undefined : Math.min(wanted, mostPerPage);
}

function selfUrl({ base }: Site, type: string, query: Query): string {
  return `${base}/${type}?${new URLSearchParams(query.map(([name, value]): [string, string] => [name, value]))}`;
}

function survivorQuery({ settings, base }: Site, query: Query, patientId: string): string {
  const survivor = settings.merged[patientId] ?? patientId;
  const changed = query.map(([name, value]): [string, string] => [
    name,
    [patientId, `Patient/${patientId}`, `${base}/Patient/${patientId}`].includes(value) ? survivor : value,
  ]);
  return new URLSearchParams(changed).toString();
}

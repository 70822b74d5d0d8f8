// A vendor's file as rows for people: what its servers take, what they do not and how we know, and how each search is written.

import { pollQuery } from '../poll.ts';
import type { Query } from '../url.ts';
import { isOffered, type NotOffered, type Offered, type Vendor } from './vendor.ts';

export interface VendorRule {
  readonly topic: string;
  readonly offered: boolean;
  /** How, or why not. */
  readonly detail: string;
}

/** In the order of the vendor's file. */
export function vendorRules(vendor: Vendor): VendorRule[] {
  return [
    ...Object.entries(vendor.headers).map(([name, value]) => yes('header', `${name}: ${value}`)),
    ability('client id header', vendor.clientIdHeader, ({ name }) => name),
    yes('request ids', vendor.requestIds.join(', ')),
    yes('scope parameter', vendor.token.scopeParameter),
    ...Object.entries(vendor.token.grantFilters).map(([type, filter]) => yes(`grant of ${type}`, `also by ${filter}`)),
    ...Object.entries(vendor.interactions).map(([type, why]) => no(`write ${type}`, why)),
    ...Object.entries(vendor.defaults).map(([type, { route, why }]) => yes(`route of ${type}`, `${route}: ${why}`)),
    ...queryRules(vendor),
    ability('match', vendor.match, ({ operation }) => operation),
    ability('conditional create', vendor.create.conditional, ({ when }) => `when ${when}`),
    ability('If-Match', vendor.update.ifMatch, ({ when }) => (when === 'always' ? 'always' : 'when a tag is known')),
    ability('JSON Patch', vendor.update.patch, () => 'of types that are declared with patch and without update'),
    ability('transaction', vendor.transaction, ({ when }) => `when ${when}`),
    ability('document', vendor.documents, (rules) =>
      [
        rules.contentType,
        `LOINC ${rules.type.code} ${rules.type.display}`,
        `encounter ${rules.encounter}`,
        `later editions: ${rules.laterEdition}`,
        `taken back by: ${rules.retraction}`,
      ].join('; '),
    ),
    ability('messages about a referral', vendor.messages, ({ search }) => `found again by ${shown(search(patientId))}`),
    yes('partial view', listed('issue codes', vendor.paging.partialIssues)),
    ...(vendor.paging.restartIssues.length > 0
      ? [yes('paging begins again', listed('issue codes', vendor.paging.restartIssues))]
      : []),
    ...issueRules(vendor),
    ...Object.entries(vendor.statuses).map(([status, rule]) => yes(`HTTP ${status}`, `${rule.class} (${rule.of})`)),
    ...Object.entries(vendor.pages).map(([status, rule]) => yes(`page with ${status}`, `${rule.class} (${rule.of})`)),
    ...Object.entries(vendor.rewrites).map(([type, elements]) => yes(`rewrites in ${type}`, elements.join(', '))),
    yes('what cannot go natively', vendor.fallback),
  ];
}

const patientId = '<patient>';
const at = new Date('2000-01-01T00:00:00.000Z');
const shownTypes = [
  'Appointment',
  'CarePlan',
  'Communication',
  'Condition',
  'Coverage',
  'DocumentReference',
  'Encounter',
  'Goal',
  'Observation',
  'QuestionnaireResponse',
  'ServiceRequest',
  'Task',
];

function queryRules(vendor: Vendor): VendorRule[] {
  const { queries } = vendor;
  const everything = { given: '<given>', sex: '<sex>', phone: '<phone>', postalCode: '<postal code>' };
  const changes = shownTypes.map((type): [string, Offered<Query>] => [`changes of ${type}`, changesOf(vendor, type)]);
  const searches: [string, Offered<Query>][] = [
    ['search by identifier', queries.identifier('<system>', '<value>')],
    ['search for a person', queries.patient({ family: '<family>', birthDate: '<birth date>' })],
    ['with more criteria', queries.patient({ family: '<family>', birthDate: '<birth date>', ...everything })],
    ['search for visits', queries.encounters(patientId)],
    ['search for documents', queries.documents({ patientId, type: '<type>', from: at, to: at })],
  ];
  const rows = changes.map(([topic, query]) => ability(topic, query, shown));
  const areAlike = rows.every(({ detail }) => detail === rows[0]?.detail);
  return [
    ...searches.map(([topic, query]) => ability(topic, query, shown)),
    ...(areAlike ? rows.slice(0, 1).map((row) => ({ ...row, topic: 'changes of any type' })) : rows),
  ];
}

/** Of all patients, where the server is asked for no more than what is new of them; else of one. */
function changesOf(vendor: Vendor, type: string): Offered<Query> {
  const window = { since: at, overlapMs: 0, searchParams: ['_lastUpdated', '_lastupdated'] };
  const all = pollQuery(vendor, type, window);
  const found = isOffered(all) && !all.isFull ? all : pollQuery(vendor, type, { ...window, patientId });
  return isOffered(found) ? found.query : found;
}

function shown(query: Query): string {
  return Object.entries(query)
    .flatMap(([name, values]) => [values].flat().map((value) => `${name}=${value}`))
    .join('&')
    .replace(/2000-01-01T00:00:00(\.\d{3})?Z/g, '<time>');
}

/** The issue codes of each class in one row. */
function issueRules({ issues }: Vendor): VendorRule[] {
  const byClass = Map.groupBy(Object.entries(issues), ([, rule]) => rule.reason ?? rule.class);
  return [...byClass].map(([name, rows]) => yes(`issues: ${name}`, rows.map(([code]) => code).join(', ')));
}

function listed(what: string, codes: readonly string[]): string {
  return `${what} ${codes.join(', ')}`;
}

function ability<T extends object>(topic: string, offered: Offered<T>, detail: (ability: T) => string): VendorRule {
  return isOffered(offered) ? yes(topic, detail(offered)) : no(topic, offered);
}

function yes(topic: string, detail: string): VendorRule {
  return { topic, offered: true, detail };
}

function no(topic: string, { notOffered }: NotOffered): VendorRule {
  return { topic, offered: false, detail: notOffered };
}

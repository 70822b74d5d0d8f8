// How a family of FHIR servers behaves, as data. Each vendor is one file beside this one with the same members in the same order;
// what it cannot do is spelled out with its source, never left out.

import type { Route, VendorName } from '../../config.ts';
import type { ErrorCode } from '../../errors.ts';
import type { FailureClass } from '../classify.ts';
import type { Query } from '../url.ts';

/** An ability that a vendor lacks, and how we know. */
export interface NotOffered {
  readonly notOffered: string;
}

export type Offered<T> = T | NotOffered;

export function notOffered(why: string): NotOffered {
  return { notOffered: why };
}

export function isOffered<T extends object>(ability: Offered<T>): ability is T {
  return !('notOffered' in ability);
}

export interface Vendor {
  readonly id: VendorName;
  /** Sent with each request. */
  readonly headers: Readonly<Record<string, string>>;
  /** The header that names our client id with each request. */
  readonly clientIdHeader: Offered<{ readonly name: string }>;
  /** Headers of a reply by which the vendor's support finds it, in lower case. */
  readonly requestIds: readonly string[];
  readonly token: {
    /** Whether a request for a token must name scopes; `optional`: what is granted was chosen at registration. */
    readonly scopeParameter: 'required' | 'optional';
    /** Grants that are limited to a search and yet cover all that we write of a type: that search, by resource type. */
    readonly grantFilters: Readonly<Record<string, string>>;
  };
  /** Resource types that cannot be written natively whatever the server declares. */
  readonly interactions: Readonly<Record<string, NotOffered>>;
  /** Where records go unless the configuration says otherwise, by record type. */
  readonly defaults: Readonly<Record<string, RouteDefault>>;
  /** The query grammar. */
  readonly queries: {
    /** By a business identifier, such as our own. */
    identifier(system: string, value: string): Query;
    /** Candidates for one person; who it is, is decided by the caller. */
    patient(person: PersonSought): Query;
    /** Encounters of a patient, among which the caller chooses where a note is filed. */
    encounters(patientId: string): Query;
    /** Documents of a patient about a time, `to` included, among which the caller finds a lost one by its marker. */
    documents(search: {
      readonly patientId: string;
      readonly type: string;
      readonly from: Date;
      readonly to: Date;
    }): Query;
    /** How a type is asked for again and again; `poll.ts` writes the search. */
    poll(resourceType: string): Offered<PollGrammar>;
    /** Asks nothing about anybody, and shows whether our credentials are taken. */
    probe: { readonly path: string; readonly query: Query };
  };
  /** The operation that grades candidates for one person; FHIR R4 patient-operation-match.html. */
  readonly match: Offered<{ readonly operation: string }>;
  /** How the server says what it will not show of patients, by issue code or HTTP status. */
  readonly patients: {
    /** A search has more hits than the server gives: it is asked again with more criteria, a few times. */
    readonly tooMany: { readonly issues: readonly string[]; readonly statuses: readonly number[] };
    /** The patient was merged into another one. */
    readonly merged: readonly string[];
    /** Nobody may see the patient without leave: never asked again by itself. */
    readonly restricted: readonly string[];
  };
  readonly create: {
    /** If-None-Exist, where the CapabilityStatement declares it. */
    readonly conditional: Offered<{ readonly when: 'declared' }>;
  };
  readonly update: {
    readonly ifMatch: Offered<{ readonly when: 'known' | 'always' }>;
    /** JSON Patch, for a type that the server declares it for and declares no update. */
    readonly patch: Offered<{ readonly when: 'declared' }>;
  };
  /** Several writes in one Bundle, all or none. */
  readonly transaction: Offered<{ readonly when: 'declared' }>;
  /** The readable document that carries what cannot go natively (closed-loop B8). */
  readonly documents: Offered<DocumentRules>;
  readonly paging: {
    readonly pageSize: number;
    /** Issue codes that make a result a partial view. */
    readonly partialIssues: readonly string[];
    /** Issue codes that say that a next link has died: the search begins again at its first page. */
    readonly restartIssues: readonly string[];
  };
  /** What coded issues of a failed request mean; they go before the HTTP status. */
  readonly issues: Readonly<Record<string, IssueRule>>;
  /** What an HTTP status means where it differs from ehr-behaviour 6.3. */
  readonly statuses: Readonly<Record<number, StatusRule>>;
  /** What a page that is no FHIR means by its HTTP status, where it differs from ehr-behaviour 6.3. */
  readonly pages: Readonly<Record<number, StatusRule>>;
  /** Elements that the server stores in another form than sent, by resource type: no change of theirs. */
  readonly rewrites: Readonly<Record<string, readonly string[]>>;
  /** The resource with which a referral begins there. */
  readonly referralsBegin: 'Task' | 'ServiceRequest';
  /** Messages by which we say something about a referral that began there; each is posted once and never changed. */
  readonly messages: Offered<MessageRules>;
  /** The moves of a Task that the server takes, where they are fewer than the diagram's: statuses by the one before. */
  readonly taskMoves: Offered<Readonly<Record<string, readonly string[]>>>;
  /** Where a record goes that cannot go natively; `document` only where one can be filed, else `manual`. */
  readonly fallback: 'document' | 'manual';
}

/** What a search for changes is made of (lanes.md 20, 21). */
export interface PollGrammar {
  /** The search within one patient; absent: there is none. */
  readonly within?: (patientId: string) => Query;
  /** The search of all patients; absent: there is none. */
  readonly all?: {
    readonly query: Query;
    /** Issue codes by which a site says that it wants a patient all the same. */
    readonly refusedBy?: readonly string[];
  };
  /** What a search for new versions adds, where the server declares the parameter; no time: all, in the order that paging needs. */
  readonly stored?: {
    readonly parameter: string;
    readonly query: (since: Date | undefined) => Query;
    /** Both ends included. */
    readonly between: (from: Date, to: Date) => Query;
  };
  /** Of what happens once: what a search adds to leave out what is older, where the server declares the parameter. */
  readonly dated?: { readonly parameter: string; readonly query: (from: Date) => Query };
  /**
   * What a search adds to show only what is planned for these days, from midnight in UTC to midnight, the last left out: a way round a record over
   * which the server fails, where `stored` is none. What has no such date is not in any of them.
   */
  readonly planned?: { readonly parameter: string; readonly between: (from: Date, to: Date) => Query };
}

export interface RouteDefault {
  readonly route: Route;
  readonly why: string;
}

export interface IssueRule {
  readonly class: FailureClass;
  /** @default the code of the class */
  readonly reason?: ErrorCode;
  /** Nothing of the kind is asked for again before the server's next day. */
  readonly wait?: 'next-day';
}

export interface StatusRule extends IssueRule {
  /** The requests for which it holds. */
  readonly of: 'all' | 'searches' | 'writes';
}

/** Family name and birth date; the rest narrows a search that had too many hits, as far as the vendor's grammar takes it. */
export interface PersonSought {
  readonly family: string;
  readonly birthDate: string;
  readonly given?: string;
  /** FHIR's administrative gender. */
  readonly sex?: string;
  readonly phone?: string;
  readonly postalCode?: string;
}

export interface MessageRules {
  /** The messages about a patient, among which the caller finds a lost one by its marker. */
  search(patientId: string): Query;
}

export interface DocumentRules {
  readonly format: 'text' | 'xhtml';
  /** Of the attachment, charset included where the server wants it. */
  readonly contentType: string;
  /** LOINC code and its display, which the server takes. */
  readonly type: { readonly code: string; readonly display: string };
  /** Whether `context.encounter` must be there; what the site allows is configured. */
  readonly encounter: 'required' | 'optional';
  /** A later edition is a new note that names the one it replaces, or an update of the same document as `amended`. */
  readonly laterEdition: 'new-note' | 'amend';
  /** How a document is taken back: a note that says so, or the status entered-in-error. */
  readonly retraction: 'note' | 'entered-in-error';
}

// Every error that a user can meet: a code, one line of text, the HTTP status, FHIR's issue type, and what a retry would do.
// docs/errors.md is made from this table.

/** What the lane core does with an error of this kind (`docs/errors.md`). */
export type ErrorClass = 'permanent' | 'retry' | 'denied' | 'config' | 'person';

export interface ErrorKind {
  /** One plain sentence; `{name}` is replaced from the error's parameters. Never holds record content. */
  readonly text: string;
  readonly status: number;
  /** FHIR issue type (http://hl7.org/fhir/issue-type). */
  readonly issue: string;
  readonly class: ErrorClass;
}

export const errorKinds = {
  'address-not-public': {
    text: '{host} is, or resolves to, an address that is not public, and nothing is sent there. Give its public name; a receiver in a private network needs allowPrivate: true in the configuration.',
    status: 502,
    issue: 'security',
    class: 'config',
  },
  'address-too-long': {
    text: 'The address is longer than {limit} bytes.',
    status: 414,
    issue: 'too-long',
    class: 'permanent',
  },
  'address-unknown': {
    text: 'There is nothing at this address. /openapi.json lists what there is.',
    status: 404,
    issue: 'not-found',
    class: 'permanent',
  },
  'answer-type-unknown': {
    text: 'This call answers with {types}. Accept must allow it.',
    status: 406,
    issue: 'not-supported',
    class: 'permanent',
  },
  'body-cut': {
    text: 'The body ended before it was complete.',
    status: 400,
    issue: 'incomplete',
    class: 'permanent',
  },
  'body-encoding-broken': {
    text: 'The body is not what its Content-Encoding says.',
    status: 400,
    issue: 'invalid',
    class: 'permanent',
  },
  'body-encoding-unknown': {
    text: 'Content-Encoding must be gzip or absent.',
    status: 415,
    issue: 'not-supported',
    class: 'permanent',
  },
  'body-missing': {
    text: 'This call needs a body.',
    status: 400,
    issue: 'required',
    class: 'permanent',
  },
  'body-too-large': {
    text: 'The body is larger than {limit} bytes. Send records in smaller parts, or as a stream to POST /api/records.',
    status: 413,
    issue: 'too-long',
    class: 'permanent',
  },
  'body-too-slow': {
    text: 'The body was not complete after {seconds} seconds.',
    status: 408,
    issue: 'timeout',
    class: 'retry',
  },
  'capabilities-changed': {
    text: 'The server of {connection} offers or grants something else than before; its routes were worked out anew.',
    status: 200,
    issue: 'informational',
    class: 'config',
  },
  'change-refused': {
    text: 'The source does not take over what {connection} says of {target}. A person must decide.',
    status: 409,
    issue: 'business-rule',
    class: 'person',
  },
  'change-unknown': {
    text: 'The source has no such change.',
    status: 404,
    issue: 'not-found',
    class: 'permanent',
  },
  'choice-unknown': {
    text: 'This decision does not offer that choice. Choose one of: {choices}.',
    status: 400,
    issue: 'value',
    class: 'person',
  },
  'clock-awaits': {
    text: 'The clock "{clock}" runs until {awaits}.',
    status: 200,
    issue: 'informational',
    class: 'person',
  },
  'clock-breached': {
    text: 'The limit of the clock "{clock}" has passed without {awaits}.',
    status: 200,
    issue: 'informational',
    class: 'person',
  },
  'clock-gone': {
    text: 'What started the clock is no longer said of its record.',
    status: 200,
    issue: 'informational',
    class: 'person',
  },
  'clock-met': {
    text: 'The clock "{clock}" was met: {how}.',
    status: 200,
    issue: 'informational',
    class: 'person',
  },
  'clock-paused': {
    text: 'The clock "{clock}" is paused: {why}.',
    status: 200,
    issue: 'informational',
    class: 'person',
  },
  'clock-stopped-late': {
    text: 'The clock "{clock}" was stopped after its limit: {how}.',
    status: 200,
    issue: 'informational',
    class: 'person',
  },
  'clock-times-crossed': {
    text: 'The clock "{clock}" runs until {awaits}: the time that is told for it lies before the start. Correct one of the two.',
    status: 200,
    issue: 'informational',
    class: 'person',
  },
  'clock-void': {
    text: 'The clock "{clock}" no longer counts: {why}.',
    status: 200,
    issue: 'informational',
    class: 'person',
  },
  'clocks-breached': {
    text: 'The limits of these clocks have passed. GET /api/clocks?state=breached lists them.',
    status: 200,
    issue: 'informational',
    class: 'person',
  },
  'command-failed': {
    text: 'This is a fault of Casebridge ({error}). Please report it together with the lines that follow.',
    status: 500,
    issue: 'exception',
    class: 'permanent',
  },
  'command-line-invalid': {
    text: '{problem} See --help.',
    status: 400,
    issue: 'invalid',
    class: 'permanent',
  },
  'condition-false': {
    text: "The mapping's condition for this resource no longer holds.",
    status: 200,
    issue: 'informational',
    class: 'permanent',
  },
  'code-unmapped': {
    text: 'ConceptMap {map} does not know the code at {pointer}, and the rule at {at} parks what it cannot say. Add the code to the map, or correct the record.',
    status: 422,
    issue: 'code-invalid',
    class: 'permanent',
  },
  'config-invalid': { text: '{where}: {problem}', status: 500, issue: 'invalid', class: 'config' },
  'config-missing': {
    text: 'The configuration {file} could not be read ({code}). Name one with --config FILE.',
    status: 500,
    issue: 'not-found',
    class: 'config',
  },
  'connection-aborted': {
    text: 'The request to {host} was given up: its time was over before it was done.',
    status: 503,
    issue: 'timeout',
    class: 'retry',
  },
  'connection-capabilities-unreadable': {
    text: 'What {host} can do is not known: {problem}',
    status: 502,
    issue: 'incomplete',
    class: 'retry',
  },
  'connection-certificate': {
    text: 'No safe connection to {host}: its certificate cannot be trusted, {problem}. Mend the certificate, or name its authority in NODE_EXTRA_CA_CERTS; the check cannot be turned off.',
    status: 502,
    issue: 'security',
    class: 'config',
  },
  'connection-client-not-allowed': {
    text: '{host} knows this client but does not let it in (unauthorized_client). Ask its administrator to approve the client for backend use; some need a background user first.',
    status: 502,
    issue: 'login',
    class: 'config',
  },
  'connection-client-unknown': {
    text: '{host} does not accept this client (invalid_client). Check clientId, that the public key from /.well-known/jwks.json is registered there, and that the server can reach that address or has fetched it again.{clocks}',
    status: 502,
    issue: 'login',
    class: 'config',
  },
  'connection-clock-skew': {
    text: 'The clock of {host} differs from ours by {seconds} s. Set both by time servers: signed tokens and change times depend on it.',
    status: 502,
    issue: 'processing',
    class: 'config',
  },
  'connection-day-used': {
    text: 'The requests of the day are used up, or what is left of the {limit} is kept for what is urgent. The others go on at {until}. rateLimit.requestsPerDay says how many there are.',
    status: 503,
    issue: 'throttled',
    class: 'retry',
  },
  'connection-dns': {
    text: 'The name {host} is not known to DNS. Check baseUrl and the network.',
    status: 502,
    issue: 'not-found',
    class: 'retry',
  },
  'connection-draining': {
    text: 'The connection takes nothing new: it finishes what is due and then pauses{why}.',
    status: 409,
    issue: 'transient',
    class: 'config',
  },
  'connection-failing': {
    text: 'The server failed to answer {failures} requests in a row, so it is left alone. One request at a time asks whether it is well, ever more seldom; when it is, the others go on by themselves.',
    status: 503,
    issue: 'transient',
    class: 'retry',
  },
  'connection-fhir-version': {
    text: '{host} speaks FHIR {version}. Casebridge needs FHIR R4 (4.0.x); check baseUrl.',
    status: 502,
    issue: 'not-supported',
    class: 'config',
  },
  'connection-key-unusable': {
    text: 'The key of this connection cannot sign. It must be a private key as JWK for ES384 (P-384) or RS384 (RSA). Make one with: casebridge keys.',
    status: 500,
    issue: 'security',
    class: 'config',
  },
  'connection-next-elsewhere': {
    text: '{host} names {target} for the next page of a search, which was not asked: credentials go only to the address in baseUrl. The server probably does not know its own public address.',
    status: 502,
    issue: 'security',
    class: 'config',
  },
  'connection-not-fhir': {
    text: '{host} answered {status} with {found} instead of FHIR JSON. A login or outage page looks like this; check baseUrl.',
    status: 502,
    issue: 'structure',
    class: 'retry',
  },
  'connection-not-in-use': {
    text: 'The connection {connection} is switched off in the configuration (mode: off): nothing is asked or sent there until it is shadow or live.',
    status: 409,
    issue: 'conflict',
    class: 'config',
  },
  'connection-not-running': {
    text: 'The connection {connection} is {state} and cannot be drained.',
    status: 409,
    issue: 'conflict',
    class: 'person',
  },
  'connection-off': {
    text: 'Switched off in the configuration (mode: off): nothing is asked or sent there.',
    status: 200,
    issue: 'informational',
    class: 'config',
  },
  'connection-path-invalid': {
    text: 'A resource id of {host} cannot be part of a URL.',
    status: 502,
    issue: 'value',
    class: 'permanent',
  },
  'connection-paused': { text: 'The connection is paused{why}.', status: 503, issue: 'suppressed', class: 'config' },
  'connection-redirect': {
    text: '{host} redirects to {target}, which was not followed: credentials go only to the address in baseUrl, and writes are never redirected. Set baseUrl to the address that answers.',
    status: 502,
    issue: 'security',
    class: 'config',
  },
  'connection-refused': {
    text: 'Nothing answers at {host}: the connection was refused. Check baseUrl, and that the server runs.',
    status: 502,
    issue: 'transient',
    class: 'retry',
  },
  'connection-reply-too-large': {
    text: 'A reply of {host} is larger than {limit} MB and was not read.',
    status: 502,
    issue: 'too-long',
    class: 'permanent',
  },
  'connection-request-too-large': {
    text: 'A request to {host} would be larger than {limit} MB and was not sent.',
    status: 413,
    issue: 'too-long',
    class: 'permanent',
  },
  'connection-reset': {
    text: 'The connection to {host} broke before the reply was complete.',
    status: 502,
    issue: 'transient',
    class: 'retry',
  },
  'connection-scopes-missing': {
    text: '{host} did not grant {scopes}. Ask its administrator to allow them for this client, or remove them from the configuration.',
    status: 502,
    issue: 'forbidden',
    class: 'config',
  },
  'connection-scopes-refused': {
    text: '{host} grants none of the scopes asked for (invalid_scope). Compare scopes in the configuration with those that the client is registered for.',
    status: 502,
    issue: 'forbidden',
    class: 'config',
  },
  'connection-stopped': {
    text: 'The server asks for a pause (HTTP 429 or 503). Nothing is sent before {until}.',
    status: 503,
    issue: 'throttled',
    class: 'retry',
  },
  'connection-tenant-unknown': {
    text: 'The server does not know the tenant in baseUrl, or does not let this client in there. Compare the tenant id with the one the hospital gave.',
    status: 502,
    issue: 'not-found',
    class: 'config',
  },
  'connection-timeout': {
    text: '{host} did not answer in time.',
    status: 504,
    issue: 'timeout',
    class: 'retry',
  },
  'connection-token-endpoint-missing': {
    text: 'No token endpoint is known for {host}: neither /.well-known/smart-configuration nor the CapabilityStatement names one. Check baseUrl and that the server offers SMART Backend Services.',
    status: 502,
    issue: 'not-supported',
    class: 'config',
  },
  'connection-token-endpoint-open': {
    text: '{host} names a token endpoint without TLS ({target}), which was not asked.',
    status: 502,
    issue: 'security',
    class: 'config',
  },
  'connection-token-over': {
    text: '{host} gives tokens that are over at once (expires_in {seconds}). Its administrator must give them a life.',
    status: 502,
    issue: 'login',
    class: 'config',
  },
  'connection-token-refused': {
    text: '{host} refuses to give a token ({error}). Check auth of this connection.{clocks}',
    status: 502,
    issue: 'login',
    class: 'config',
  },
  'connection-token-unavailable': {
    text: 'The token endpoint of {host} cannot answer now ({status}).',
    status: 503,
    issue: 'transient',
    class: 'retry',
  },
  'connection-unknown': {
    text: 'There is no connection {connection} here.',
    status: 404,
    issue: 'not-found',
    class: 'permanent',
  },
  'consent-missing': {
    text: "Withheld: no consent in force lets a {recordType} go to this organization. Record the client's consent, naming the organization, to send it.",
    status: 403,
    issue: 'suppressed',
    class: 'person',
  },
  'consent-sensitivity': {
    text: 'Withheld: this {recordType} is labelled sensitive and no consent in force names that label.',
    status: 403,
    issue: 'suppressed',
    class: 'person',
  },
  'consent-type': {
    text: "Withheld: the client's consent to this organization does not name {recordType} records.",
    status: 403,
    issue: 'suppressed',
    class: 'person',
  },
  'consent-withdrawn': {
    text: 'The consent that let a {recordType} go there is withdrawn; recall was tried.',
    status: 403,
    issue: 'suppressed',
    class: 'person',
  },
  contested: {
    text: '{target} was written by somebody else on the server each time before we did. Nothing of theirs was overwritten.',
    status: 409,
    issue: 'conflict',
    class: 'person',
  },
  'create-doubled': {
    text: 'The server holds {target} twice. The older one is used; a person should remove the other.',
    status: 409,
    issue: 'duplicate',
    class: 'person',
  },
  'cursor-expired': {
    text: '`after` is ahead of this feed: the store was restored or replaced since. Ask without `after`: what you know already comes again.',
    status: 410,
    issue: 'expired',
    class: 'permanent',
  },
  'cursor-invalid': {
    text: '`after` must be the `next` or `cursor` of an earlier answer of this list.',
    status: 400,
    issue: 'value',
    class: 'permanent',
  },
  'decision-closed': {
    text: 'Decision {id} has been answered or has become obsolete.',
    status: 409,
    issue: 'conflict',
    class: 'person',
  },
  'decision-unknown': {
    text: 'There is no such decision.',
    status: 404,
    issue: 'not-found',
    class: 'permanent',
  },
  'deleted-record': { text: 'The source withdrew the record.', status: 410, issue: 'deleted', class: 'permanent' },
  'demo-failed': {
    text: 'The demo stopped before its end. {problem} The logs of its two programs are in {folder}.',
    status: 500,
    issue: 'exception',
    class: 'permanent',
  },
  'directory-found': {
    text: 'Found on the server; linked and never written.',
    status: 200,
    issue: 'informational',
    class: 'person',
  },
  'document-after-retraction': {
    text: 'The document before was taken back; this one says what may be said now.',
    status: 200,
    issue: 'informational',
    class: 'permanent',
  },
  'document-current': {
    text: 'Carried in the readable document, version {edition}.',
    status: 200,
    issue: 'informational',
    class: 'permanent',
  },
  'document-empty': {
    text: 'There is nothing that the readable document could tell.',
    status: 200,
    issue: 'informational',
    class: 'permanent',
  },
  'document-gone': {
    text: 'The document that we filed is not on the server any more. A person must decide.',
    status: 404,
    issue: 'not-found',
    class: 'person',
  },
  'document-plan-activated': {
    text: 'A new edition at once: the plan was activated.',
    status: 200,
    issue: 'informational',
    class: 'permanent',
  },
  'document-quiet': {
    text: 'Goes into the next version of the readable document, which waits for a quiet period and for its turn.',
    status: 200,
    issue: 'informational',
    class: 'retry',
  },
  'document-recalled': {
    text: "The document has been taken back on the server (version {edition}). The hospital's records office must be told.",
    status: 200,
    issue: 'informational',
    class: 'person',
  },
  'document-record-left': {
    text: 'The version before tells of a record that has been withdrawn.',
    status: 200,
    issue: 'informational',
    class: 'permanent',
  },
  'document-referral-final': {
    text: 'A new edition at once: a referral has come to its end.',
    status: 200,
    issue: 'informational',
    class: 'permanent',
  },
  'document-review': {
    text: 'A new edition at once: the plan was reviewed or signed.',
    status: 200,
    issue: 'informational',
    class: 'permanent',
  },
  'document-safety': {
    text: 'A new edition at once: what is known about safety has changed.',
    status: 200,
    issue: 'informational',
    class: 'permanent',
  },
  'encounter-missing': {
    text: 'The patient has no open encounter there, under which the document could be filed. It is looked for again every hour.',
    status: 409,
    issue: 'business-rule',
    class: 'person',
  },
  'feeder-stopped': {
    text: 'No pass over the due lanes ended in the last 15 seconds.',
    status: 503,
    issue: 'transient',
    class: 'retry',
  },
  'file-missing': {
    text: 'Name at least one file of records.',
    status: 400,
    issue: 'required',
    class: 'permanent',
  },
  'file-unreadable': {
    text: 'The file {file} could not be read ({code}).',
    status: 400,
    issue: 'not-found',
    class: 'permanent',
  },
  'file-unwritable': {
    text: 'The file {file} could not be written ({code}). Check its folder, or name another file.',
    status: 500,
    issue: 'exception',
    class: 'config',
  },
  'form-outdated': {
    text: 'The form was shown too long ago, or not to this browser. Nothing was done: open the page again and repeat it.',
    status: 403,
    issue: 'security',
    class: 'denied',
  },
  'form-refused': {
    text: 'The form holds something that its page does not have, or text that is no text. Nothing was done.',
    status: 400,
    issue: 'invalid',
    class: 'permanent',
  },
  'gateway-refused': {
    text: 'The gateway at {url} answered {status}: {detail}',
    status: 502,
    issue: 'processing',
    class: 'permanent',
  },
  'gateway-unreachable': {
    text: 'No gateway answers at {url} ({code}).',
    status: 503,
    issue: 'transient',
    class: 'retry',
  },
  'guide-not-r4': {
    text: 'The guide {guide} is for FHIR {versions}; Casebridge speaks R4 (4.0.1).',
    status: 422,
    issue: 'not-supported',
    class: 'permanent',
  },
  'guide-package-invalid': {
    text: 'The file {file} is not a FHIR package: {problem}. Give a package.tgz as its publisher made it.',
    status: 422,
    issue: 'invalid',
    class: 'permanent',
  },
  'guide-without-profiles': {
    text: 'The guide {guide} holds no profile that facts can be made of ({count} have no snapshot). Give the package that its publisher built, with snapshots.',
    status: 422,
    issue: 'invalid',
    class: 'permanent',
  },
  'header-too-large': {
    text: 'The headers are larger than {limit} bytes.',
    status: 431,
    issue: 'too-long',
    class: 'permanent',
  },
  'header-too-slow': {
    text: 'The headers did not arrive in time.',
    status: 408,
    issue: 'timeout',
    class: 'retry',
  },
  'identity-changed': {
    text: '{name} was {before} when this store was first used and is {after} now. It names resources on other servers and must not change.',
    status: 500,
    issue: 'conflict',
    class: 'config',
  },
  internal: {
    text: 'Something went wrong inside Casebridge. The log line with id {requestId} says what.',
    status: 500,
    issue: 'exception',
    class: 'retry',
  },
  'json-invalid': {
    text: 'Line {line}, column {column}: {problem}. Send JSON by RFC 8259 in UTF-8.',
    status: 400,
    issue: 'structure',
    class: 'permanent',
  },
  'key-file-exists': {
    text: '{file} exists already and was not overwritten. Name another file, or move the old key away.',
    status: 409,
    issue: 'duplicate',
    class: 'config',
  },
  'lane-crashed': {
    text: 'The lane was started {starts} times without coming to an end. It rests until its records change or an operator runs it.',
    status: 500,
    issue: 'exception',
    class: 'person',
  },
  'lane-nothing-to-retry': {
    text: 'This lane is {state}: there is nothing to try again. To run it all the same, POST to its address with /run.',
    status: 409,
    issue: 'conflict',
    class: 'person',
  },
  'lane-nothing-to-skip': {
    text: 'Nothing of this lane is stuck in a way that a person could set aside.',
    status: 409,
    issue: 'conflict',
    class: 'person',
  },
  'lane-overdue': {
    text: 'Work has been tried for more than {days} days without success. It is tried on, at least four times an hour. One of the causes: {why}',
    status: 503,
    issue: 'timeout',
    class: 'person',
  },
  'lane-parked-by-operator': {
    text: '{by} has parked this lane. It runs again after a retry or a run by an operator.',
    status: 409,
    issue: 'suppressed',
    class: 'person',
  },
  'lane-unknown': {
    text: 'There is no such lane. A lane exists once a record of its subject was accepted for its connection.',
    status: 404,
    issue: 'not-found',
    class: 'permanent',
  },
  'lane-yields': {
    text: 'The lane has more to do than one run may; it goes on in the next.',
    status: 503,
    issue: 'incomplete',
    class: 'retry',
  },
  'lanes-parked': {
    text: 'Lanes are parked on this connection. The newest reason: {why}',
    status: 409,
    issue: 'processing',
    class: 'person',
  },
  'listen-failed': {
    text: 'Casebridge cannot listen on {where} ({code}). Choose an address of this machine and a port that it may open.',
    status: 500,
    issue: 'exception',
    class: 'config',
  },
  'mapping-invalid': {
    text: 'The mapping files are not used, because they are wrong; the version before stays active.\n{problems}',
    status: 500,
    issue: 'invalid',
    class: 'config',
  },
  'mapping-not-active': {
    text: 'The mapping {version} is not the active one, which is {active}. Activate it first: start with its files.',
    status: 409,
    issue: 'conflict',
    class: 'person',
  },
  'mapping-slot-unknown': {
    text: 'The mapping of {type} has no slot "{slot}". If it was renamed, say its former name under "was" in the mapping.',
    status: 500,
    issue: 'not-found',
    class: 'config',
  },
  'mappings-changing': {
    text: 'The mapping files in {folder} go on changing while they are read. The version before stays; try again when they rest.',
    status: 500,
    issue: 'transient',
    class: 'config',
  },
  'mappings-invalid': {
    text: 'Problems in the mapping files: {count}. Nothing was mapped.',
    status: 500,
    issue: 'invalid',
    class: 'config',
  },
  'mass-change': {
    text: '{cause} would change more than {limit} resources on {connection}. A person decides whether it goes on.',
    status: 409,
    issue: 'suppressed',
    class: 'person',
  },
  'mass-change-stopped': {
    text: 'A person has stopped what {cause} would change here. It goes out when its record changes.',
    status: 409,
    issue: 'suppressed',
    class: 'person',
  },
  'media-type-unknown': {
    text: 'Content-Type must be {types}, in UTF-8.',
    status: 415,
    issue: 'not-supported',
    class: 'permanent',
  },
  'merge-conflict': {
    text: 'Both sides changed {element} of {target}. A person must choose.',
    status: 409,
    issue: 'conflict',
    class: 'person',
  },
  'method-not-allowed': {
    text: 'This address takes {methods} only.',
    status: 405,
    issue: 'not-supported',
    class: 'permanent',
  },
  misfiled: {
    text: '{target} is in the chart of the wrong patient, and the server does not let us mark it as entered in error. A person must see to it there.',
    status: 409,
    issue: 'conflict',
    class: 'person',
  },
  'not-backfilled': {
    text: 'It was not open when this connection went live. It is sent when one of its records changes.',
    status: 200,
    issue: 'informational',
    class: 'permanent',
  },
  'not-carried': {
    text: 'What the other side says in {elements} of {target} has no place in the record. It stays on the server; a person should look.',
    status: 409,
    issue: 'processing',
    class: 'person',
  },
  'operator-cannot-write': {
    text: 'An operator token never writes records. Use the token of their source.',
    status: 403,
    issue: 'forbidden',
    class: 'denied',
  },
  'operators-only': {
    text: 'Only an operator may do this.',
    status: 403,
    issue: 'forbidden',
    class: 'denied',
  },
  'outcome-unknown': {
    text: 'The reply to a write was lost. The server is searched before anything is sent again.',
    status: 503,
    issue: 'incomplete',
    class: 'retry',
  },
  'parameter-doubled': {
    text: 'The parameter {name} is given more than once.',
    status: 400,
    issue: 'invalid',
    class: 'permanent',
  },
  'parameter-invalid': {
    text: '{name} must be {form}.',
    status: 400,
    issue: 'value',
    class: 'permanent',
  },
  'parameter-unknown': {
    text: '"{name}" is not a parameter of this call.{hint}',
    status: 400,
    issue: 'invalid',
    class: 'permanent',
  },
  'patient-left': {
    text: 'A person decided to leave this client unlinked on this server.',
    status: 409,
    issue: 'informational',
    class: 'person',
  },
  'patient-merged': {
    text: 'The hospital merged this patient into another one.',
    status: 409,
    issue: 'informational',
    class: 'person',
  },
  'patient-merged-elsewhere': {
    text: 'The hospital merged this patient into one of another birth date and family name. A person must say who the client is.',
    status: 409,
    issue: 'conflict',
    class: 'person',
  },
  'patient-not-found': {
    text: 'No patient on this server is this client, and this connection may not create patients.',
    status: 404,
    issue: 'not-found',
    class: 'person',
  },
  'patient-relinked': {
    text: 'A person said that the client is another patient on this server.',
    status: 409,
    issue: 'informational',
    class: 'person',
  },
  'patient-restricted': {
    text: 'The server does not show this patient to us without special leave. It is not asked again until an operator runs the lane or the record changes.',
    status: 403,
    issue: 'forbidden',
    class: 'denied',
  },
  'patient-too-many': {
    text: 'The server has too many patients of this name and birth date to show them all. A person must choose; nothing is guessed.',
    status: 409,
    issue: 'too-costly',
    class: 'person',
  },
  'patient-uncertain': {
    text: '{count} patients on this server may be this client. A person must choose; nothing is guessed.',
    status: 409,
    issue: 'multiple-matches',
    class: 'person',
  },
  'patient-unknown': {
    text: 'The server has no patient with this id.',
    status: 404,
    issue: 'not-found',
    class: 'permanent',
  },
  'patient-unlinked': {
    text: 'A person said that the client is not the patient who was linked on this server.',
    status: 409,
    issue: 'informational',
    class: 'person',
  },
  'patient-unreadable': {
    text: 'The server cannot be asked for this patient now, so nothing was changed.{why}',
    status: 503,
    issue: 'transient',
    class: 'retry',
  },
  'permission-missing': {
    text: 'The operator {operator} may not {permission}. Add it to `may` in the configuration.',
    status: 403,
    issue: 'forbidden',
    class: 'denied',
  },
  'plan-outdated': {
    text: 'What the plan was made from changed before it was sent; it is made anew.',
    status: 409,
    issue: 'transient',
    class: 'retry',
  },
  'planned-create': {
    text: 'It is not on the server yet.',
    status: 200,
    issue: 'informational',
    class: 'person',
  },
  'planned-document': {
    text: 'Version {edition} of the readable document is to be filed.',
    status: 200,
    issue: 'informational',
    class: 'permanent',
  },
  'planned-encounter': {
    text: 'An open encounter is looked for, under which the document can be filed.',
    status: 200,
    issue: 'informational',
    class: 'permanent',
  },
  'planned-find': {
    text: 'It may be on the server already and is looked for first.',
    status: 200,
    issue: 'informational',
    class: 'person',
  },
  'planned-move': {
    text: 'Its {element} goes from {from} to {to}.',
    status: 200,
    issue: 'informational',
    class: 'person',
  },
  'planned-read': {
    text: 'It is read again before anything is written over it.',
    status: 200,
    issue: 'informational',
    class: 'person',
  },
  'planned-update': {
    text: 'Changed here: {elements}.',
    status: 200,
    issue: 'informational',
    class: 'person',
  },
  'port-taken': {
    text: 'Port {port} is taken by another program. Set another one, or 0 for any free port.',
    status: 500,
    issue: 'conflict',
    class: 'config',
  },
  'postgres-connections-few': {
    text: 'PostgreSQL takes {most} connections and keeps {reserved} of them back; {processes} processes of Casebridge may need {each} each. Set max_connections to {enough} or more, or run fewer processes.',
    status: 503,
    issue: 'throttled',
    class: 'config',
  },
  'postgres-setting-off': {
    text: 'PostgreSQL runs with {setting} off: {danger}. Set {setting} to on.',
    status: 503,
    issue: 'no-store',
    class: 'config',
  },
  'queue-unusable': {
    text: 'The queue at {where} cannot be used: {problem}. Check queue.url, and that Redis runs there.',
    status: 503,
    issue: 'transient',
    class: 'config',
  },
  'read-only-patient': {
    text: 'This patient was made by the hospital or by another client record; it is linked and never written.',
    status: 200,
    issue: 'informational',
    class: 'person',
  },
  'record-id-differs': {
    text: 'The id in the address and the id in the record differ.',
    status: 400,
    issue: 'invalid',
    class: 'permanent',
  },
  'record-refused': {
    text: 'The record is refused and nothing was changed: {count} of its fields break a rule, see `errors`.',
    status: 400,
    issue: 'invalid',
    class: 'permanent',
  },
  'record-type-unknown': {
    text: 'There is no such record type.{hint}',
    status: 404,
    issue: 'not-found',
    class: 'permanent',
  },
  'record-unknown': {
    text: 'The source has no {type} with this id here.',
    status: 404,
    issue: 'not-found',
    class: 'permanent',
  },
  'record-without-subject': {
    text: 'This {type} names neither a case nor a client, so no lane can be told for it. Send caseId or clientId with it.',
    status: 400,
    issue: 'required',
    class: 'permanent',
  },
  'records-refused': {
    text: '{count} of the records are refused, see `errors`.',
    status: 400,
    issue: 'invalid',
    class: 'permanent',
  },
  'redis-evicts': {
    text: 'Redis may throw wake-ups away when its memory is full (maxmemory-policy {policy}), and work waits until the store is asked again. Set maxmemory-policy to noeviction.',
    status: 503,
    issue: 'transient',
    class: 'config',
  },
  'redis-not-kept': {
    text: 'Redis keeps nothing over a restart (appendonly no), and work waits until the store is asked again. Set appendonly to yes.',
    status: 503,
    issue: 'transient',
    class: 'config',
  },
  'redis-too-old': {
    text: 'Redis {found} is too old: {oldest} or newer is needed.',
    status: 503,
    issue: 'not-supported',
    class: 'config',
  },
  'refused-write': {
    text: '{count} of this lane cannot be sent as they are. Mend the records or the server, then try again, or set these versions aside.',
    status: 409,
    issue: 'processing',
    class: 'person',
  },
  'remote-edit': {
    text: 'The other side changed {element} of {target}, which is ours to say. A person must decide.',
    status: 409,
    issue: 'conflict',
    class: 'person',
  },
  'remote-gone': {
    text: '{target} is gone on the server. It is not made again by itself; a person must decide.',
    status: 410,
    issue: 'deleted',
    class: 'person',
  },
  'remote-in-error': {
    text: 'The server says that {target} was entered in error there. Nothing more is written to it; if that is wrong, have it corrected there, else correct the record.',
    status: 409,
    issue: 'conflict',
    class: 'person',
  },
  'replay-left-paused': {
    text: 'The connection was paused before this lane ran; it runs when the connection resumes.',
    status: 409,
    issue: 'suppressed',
    class: 'config',
  },
  'replay-nothing-to-do': {
    text: 'The server holds what the records say.',
    status: 200,
    issue: 'informational',
    class: 'permanent',
  },
  'replay-unknown': {
    text: 'There is no replay {id}.',
    status: 404,
    issue: 'not-found',
    class: 'permanent',
  },
  'request-malformed': {
    text: 'This is not a well-formed HTTP request.',
    status: 400,
    issue: 'invalid',
    class: 'permanent',
  },
  'request-refused': {
    text: 'The request is refused, see `errors`.',
    status: 400,
    issue: 'invalid',
    class: 'permanent',
  },
  'resource-invalid': {
    text: '{target} would not be valid FHIR: {rule} at {path}, which {at} makes from {fields}. Mend the record, or the mapping.',
    status: 422,
    issue: 'invalid',
    class: 'permanent',
  },
  'route-capabilities-unknown': {
    text: 'What the server can do was never read; nothing is written until it is.',
    status: 503,
    issue: 'incomplete',
    class: 'retry',
  },
  'route-configured': {
    text: 'Set in the configuration (routes: {recordType}: {route}).',
    status: 200,
    issue: 'informational',
    class: 'config',
  },
  'route-native': {
    text: 'The server declares all that {resourceType} needs, and the token allows it.',
    status: 200,
    issue: 'informational',
    class: 'config',
  },
  'route-no-document': {
    text: '{why} A document cannot carry it either. {hindrance}',
    status: 501,
    issue: 'not-supported',
    class: 'config',
  },
  'route-not-declared': {
    text: 'The server does not declare {missing} for {resourceType}.',
    status: 501,
    issue: 'not-supported',
    class: 'config',
  },
  'route-scopes-missing': {
    text: 'The token does not allow {missing} on {resourceType}.',
    status: 403,
    issue: 'forbidden',
    class: 'config',
  },
  'route-task-answer': {
    text: 'Set in the configuration (task: answer): Tasks that began there are answered, none is made there.',
    status: 200,
    issue: 'informational',
    class: 'config',
  },
  'route-task-off': {
    text: 'Set in the configuration (task: off).',
    status: 200,
    issue: 'informational',
    class: 'config',
  },
  'route-unsent': {
    text: 'No server is sent {recordType} records: {why}.',
    status: 501,
    issue: 'not-supported',
    class: 'config',
  },
  'route-vendor': {
    text: '{resourceType} cannot be written on servers of this vendor: {why}.',
    status: 501,
    issue: 'not-supported',
    class: 'config',
  },
  'route-vendor-default': {
    text: 'Usual with servers of this vendor: {why}.',
    status: 200,
    issue: 'informational',
    class: 'config',
  },
  'runs-unfinished': {
    text: 'Stopped while {count} lane runs had not ended after {seconds} seconds. The next start takes them up again.',
    status: 500,
    issue: 'timeout',
    class: 'retry',
  },
  'search-endless': {
    text: 'The search did not end: {pages} pages were read, or one page named itself as the next. Nothing is concluded from what is missing.',
    status: 502,
    issue: 'incomplete',
    class: 'retry',
  },
  'search-partial': {
    text: 'The server shows only a part of the {resourceType} resources. Nothing is concluded from what is missing.',
    status: 502,
    issue: 'incomplete',
    class: 'retry',
  },
  'search-session-over': {
    text: 'The server let the pages of this search run out before all were read. The search begins again.',
    status: 502,
    issue: 'incomplete',
    class: 'retry',
  },
  'search-too-many': {
    text: 'The search matches more patients than the server shows. Add what narrows it, such as an identifier.',
    status: 409,
    issue: 'too-costly',
    class: 'person',
  },
  'server-busy': {
    text: 'The server cannot answer now ({status}{issue}).',
    status: 503,
    issue: 'transient',
    class: 'retry',
  },
  'server-conflict': {
    text: 'The resource changed on the server since it was read ({status}).',
    status: 409,
    issue: 'conflict',
    class: 'retry',
  },
  'server-credentials-refused': {
    text: 'The server refuses our credentials ({status}). Check auth of this connection.',
    status: 502,
    issue: 'login',
    class: 'config',
  },
  'server-daily-cap': {
    text: 'The server takes no more documents today. They wait until its next day.',
    status: 503,
    issue: 'throttled',
    class: 'retry',
  },
  'server-denied': {
    text: 'The server does not allow this ({status}{issue}). Ask its administrator.',
    status: 403,
    issue: 'forbidden',
    class: 'denied',
  },
  'server-duplicate': {
    text: 'The server says that it has this resource already. It is searched for before anything is sent again.',
    status: 409,
    issue: 'duplicate',
    class: 'retry',
  },
  'server-gone': {
    text: 'The resource is gone on the server ({status}).',
    status: 410,
    issue: 'deleted',
    class: 'person',
  },
  'server-location-elsewhere': {
    text: 'The server says that it stored the resource on another host. It is searched for before anything is sent again.',
    status: 502,
    issue: 'security',
    class: 'retry',
  },
  'server-not-offered': {
    text: 'The server does not offer this request ({status}), though it may declare it. Set another route for it in the configuration.',
    status: 501,
    issue: 'not-supported',
    class: 'permanent',
  },
  'server-refused': {
    text: 'The server refuses the request ({status}{issue}).',
    status: 422,
    issue: 'processing',
    class: 'permanent',
  },
  'server-reverts': {
    text: 'The server has put its own {element} of {target} back three times in a day. A person decides which one stays.',
    status: 409,
    issue: 'conflict',
    class: 'person',
  },
  'server-several-matches': {
    text: 'Several resources on the server carry the identifier of the one to make (412).',
    status: 409,
    issue: 'multiple-matches',
    class: 'person',
  },
  'server-wrong-resource': {
    text: 'The server answered with another resource than the one asked for.',
    status: 502,
    issue: 'value',
    class: 'permanent',
  },
  shadow: {
    text: 'The connection is in shadow: it would write {count}, and writes nothing.',
    status: 200,
    issue: 'informational',
    class: 'person',
  },
  'sign-in-too-often': {
    text: 'Too many attempts to sign in have failed from this address. Wait ten minutes, then try again.',
    status: 429,
    issue: 'throttled',
    class: 'retry',
  },
  'source-needed': {
    text: 'Add ?source= to say whose this is: an id is unique within its source only.',
    status: 400,
    issue: 'required',
    class: 'permanent',
  },
  'source-not-configured': {
    text: 'The source {source} is not in the configuration.{hint}',
    status: 400,
    issue: 'not-found',
    class: 'config',
  },
  'source-not-sent': {
    text: 'What the source {source} sends does not go to {connection}. See `sources` of the connection in the configuration.',
    status: 409,
    issue: 'conflict',
    class: 'config',
  },
  'source-token-other': {
    text: 'At {url} the token is not the one of the source {source}. Give --token its own, or check --source.',
    status: 403,
    issue: 'forbidden',
    class: 'config',
  },
  'source-unknown': {
    text: 'There is no such source here.',
    status: 404,
    issue: 'not-found',
    class: 'permanent',
  },
  'stale-many': {
    text: 'The source {source} sent more than {limit} records within an hour that are older than what is stored. Check its clock and its export; the records are kept beside the newer ones.',
    status: 409,
    issue: 'conflict',
    class: 'person',
  },
  'stale-unknown': {
    text: 'No such older record is kept beside this one.',
    status: 404,
    issue: 'not-found',
    class: 'permanent',
  },
  'status-path': {
    text: 'No legal way from the Task status {from} to {to} for the {party}. A person must decide.',
    status: 409,
    issue: 'business-rule',
    class: 'person',
  },
  'status-read': {
    text: "The Task's new status {status} cannot be taken over ({why}). A person must decide.",
    status: 409,
    issue: 'business-rule',
    class: 'person',
  },
  'stop-unfinished': {
    text: 'Not all could be ended within {seconds} seconds: the database or a server does not answer. The process ends now; the next one finds in the store what was under way.',
    status: 503,
    issue: 'timeout',
    class: 'retry',
  },
  'store-locked': {
    text: 'The data folder {folder} is in use by {holder}. Stop that process, work through its API (import and doctor take --url), or give store.url a PostgreSQL database, which several processes may use.',
    status: 503,
    issue: 'lock-error',
    class: 'config',
  },
  'store-newer': {
    text: 'The database belongs to a newer Casebridge (its schema is number {found}, this program knows {known}). Start the newer program: there is no way back.',
    status: 503,
    issue: 'not-supported',
    class: 'config',
  },
  'store-too-old': {
    text: 'PostgreSQL {found} is too old: {oldest} or newer is needed.',
    status: 503,
    issue: 'not-supported',
    class: 'config',
  },
  'store-unavailable': {
    text: 'The store cannot be reached. Nothing was accepted; try again.',
    status: 503,
    issue: 'transient',
    class: 'retry',
  },
  'store-unusable': {
    text: 'The database at {where} cannot be used: {problem}. Check store.url, or that the data folder can be written.',
    status: 503,
    issue: 'no-store',
    class: 'config',
  },
  'stored-elsewhere': {
    text: 'The server says that it stored {target} on another host, and it is not found on this one. Look at baseUrl, and at what the server calls itself.',
    status: 502,
    issue: 'security',
    class: 'person',
  },
  'subject-invalid': {
    text: 'This is not a subject. Write <source>.<case|client|organization|service|worker>.<id>.',
    status: 400,
    issue: 'value',
    class: 'permanent',
  },
  'subject-moved': {
    text: 'It is in the chart of a patient who is not the client any more.',
    status: 200,
    issue: 'informational',
    class: 'person',
  },
  'task-element-not-theirs': {
    text: 'A performer may not change {elements} of this Task, only {own}.',
    status: 403,
    issue: 'forbidden',
    class: 'permanent',
  },
  'task-move-illegal': {
    text: 'The {party} may not move this Task from {from} to that status. From {from} the {party} may go to: {legal}.',
    status: 422,
    issue: 'business-rule',
    class: 'permanent',
  },
  'task-part-missing': {
    text: 'A Task of kind {kind} needs in {element}: {wants}.',
    status: 422,
    issue: 'business-rule',
    class: 'permanent',
  },
  'task-reason-missing': {
    text: 'A Task that becomes {to} needs a reason in words: statusReason.text.',
    status: 422,
    issue: 'required',
    class: 'permanent',
  },
  'theirs-to-make': {
    text: 'The other side makes this resource; it is read and answered, never created by us.',
    status: 200,
    issue: 'informational',
    class: 'person',
  },
  'token-missing': {
    text: 'This call needs the header Authorization: Bearer <token>.',
    status: 401,
    issue: 'login',
    class: 'denied',
  },
  'token-unknown': {
    text: 'The token is not one of this gateway. Check the configuration of sources and operators.',
    status: 401,
    issue: 'login',
    class: 'denied',
  },
  'twin-in-progress': {
    text: 'Another client with the same identifier or the same name and birth date is being matched right now.',
    status: 409,
    issue: 'lock-error',
    class: 'retry',
  },
  'version-set-aside': {
    text: 'A person has set version {version} of {target} aside. The next version goes out. It was stuck because: {why}',
    status: 409,
    issue: 'suppressed',
    class: 'person',
  },
  'waits-for-link': {
    text: 'Waits for {target}, which is not on this server yet.',
    status: 409,
    issue: 'transient',
    class: 'retry',
  },
  'waits-for-record': {
    text: 'Waits for {target}, which its source has not sent yet.',
    status: 409,
    issue: 'transient',
    class: 'retry',
  },
  'webhook-answered': {
    text: 'The receiver answered {status}.',
    status: 502,
    issue: 'processing',
    class: 'retry',
  },
  'webhook-disabled': {
    text: 'Changes are no longer posted to the webhook of {source}: {why} Mend the receiver, then POST /api/webhooks/{source}/enable; nothing is lost.',
    status: 503,
    issue: 'suppressed',
    class: 'config',
  },
  'webhook-stuck': {
    text: 'The webhook of {source} has refused one change for {hours} hours while it took others. The later changes of the same case wait behind it. Mend the receiver, or let the source refuse the change.',
    status: 409,
    issue: 'processing',
    class: 'person',
  },
  'webhook-unknown': {
    text: 'The source {source} has no webhook in the configuration.',
    status: 404,
    issue: 'not-found',
    class: 'config',
  },
  'worker-needs-server': {
    text: 'A worker is a second process on the store, and the embedded store takes one only. Set store.url to a PostgreSQL (env:DATABASE_URL).',
    status: 500,
    issue: 'not-supported',
    class: 'config',
  },
} as const satisfies Record<string, ErrorKind>;

export type ErrorCode = keyof typeof errorKinds;

/** True for a code of the table. */
export function isErrorCode(text: string): text is ErrorCode {
  return Object.hasOwn(errorKinds, text);
}

export type ErrorParameters = Readonly<Record<string, string | number>>;

/** Why something is as it is, for people and for programs. Holds no record content. */
export interface Reason {
  readonly code: ErrorCode;
  readonly text: string;
}

/** The one error class that crosses folder borders: a code from the table, and parameters for its text. */
export class CasebridgeError extends Error {
  readonly code: ErrorCode;
  readonly parameters: ErrorParameters;

  constructor(code: ErrorCode, parameters: ErrorParameters = {}, options?: ErrorOptions) {
    super(fillText(errorKinds[code].text, parameters), options);
    this.name = 'CasebridgeError';
    this.code = code;
    this.parameters = parameters;
  }

  get kind(): ErrorKind {
    return errorKinds[this.code];
  }

  get reason(): Reason {
    return { code: this.code, text: this.message };
  }
}

/** The reason for a code, without throwing. */
export function reason(code: ErrorCode, parameters: ErrorParameters = {}): Reason {
  return { code, text: fillText(errorKinds[code].text, parameters) };
}

function fillText(template: string, parameters: ErrorParameters): string {
  return template.replace(/\{(\w+)\}/g, (whole, name: string) => String(parameters[name] ?? whole));
}

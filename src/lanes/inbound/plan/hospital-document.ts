// A document of the hospital, a discharge summary above all, as the note that it is offered as. It says what the document is, who wrote it and where, and
// its text where that can be read; what it does not say is left out. Pure.

import { findMarker } from '../../../documents/documents.ts';
import type { ErrorCode } from '../../../errors.ts';
import { type JsonObject, objectAt, objectsAt, textAt } from '../../../json.ts';
import { isInstant } from '../../../records/records.ts';
import { type Named, referenced } from '../about.ts';
import { cut } from '../cut.ts';
import { conceptWords } from '../propose.ts';
import { plainness } from './readable-text.ts';

const loinc = 'http://loinc.org';

/** Documents that a newer one stands in place of, by their ids; one that is not final yet replaces nothing. */
export function replacedAmong(documents: readonly JsonObject[], baseUrl: string): ReadonlySet<string> {
  const standing = documents.filter(
    ({ status, docStatus }) => said(status) === 'current' && !unfinished.includes(said(docStatus)),
  );
  return new Set(standing.flatMap((one) => replaces(one, baseUrl)).map(({ id }) => id));
}

function replaces(document: JsonObject, baseUrl: string): Named[] {
  return objectsAt(document, 'relatesTo')
    .filter(({ code }) => code === 'replaces')
    .flatMap((one) => referenced(objectAt(one, 'target'), baseUrl))
    .filter(({ resourceType }) => resourceType === 'DocumentReference');
}

const unfinished = ['preliminary'];

/** Why a document is not offered, whatever its text says; undefined: it is. */
export function documentDoubt(document: JsonObject, types: readonly string[]): ErrorCode | undefined {
  const codings = objectsAt(objectAt(document, 'type'), 'coding');
  const isListed = codings.some(({ system, code }) => system === loinc && types.some((type) => type === code));
  if (!isListed) return 'inbound-document-type';
  if (said(document.status) === 'superseded') return 'inbound-superseded';
  if (said(document.docStatus) === 'entered-in-error') return 'inbound-cancelled';
  return unfinished.includes(said(document.docStatus)) ? 'inbound-draft' : undefined;
}

function said(code: unknown): string {
  return typeof code === 'string' ? code.trim() : '';
}

/** When it was written, else when what it tells of was over or began; undefined: it does not say. */
export function documentTime(document: JsonObject): string | undefined {
  const period = objectAt(objectAt(document, 'context'), 'period');
  return [document.date, period?.end, period?.start].find(isInstant);
}

/** The attachment that is read: the one whose text is plainest. `binary`: where it stands, unless it is in the document itself. */
export function attachmentToRead(
  document: JsonObject,
  baseUrl: string,
): { readonly attachment: JsonObject; readonly binary: Named | undefined } | undefined {
  const [plainest] = attachmentsOf(document)
    .flatMap((attachment) => {
      const rank = plainness(attachment);
      const [binary] = referenced({ reference: textAt(attachment, 'url') ?? '' }, baseUrl);
      const isHere = textAt(attachment, 'data') !== undefined;
      const isReadable = isHere || binary?.resourceType === 'Binary';
      return rank === undefined || !isReadable ? [] : [{ attachment, binary: isHere ? undefined : binary, rank }];
    })
    .sort((a, b) => a.rank - b.rank);
  return plainest;
}

function attachmentsOf(document: JsonObject): JsonObject[] {
  return objectsAt(document, 'content')
    .map((one) => objectAt(one, 'attachment'))
    .filter((attachment) => attachment !== undefined);
}

/** What a text of ours ends with: it was written here, and its filing has no known outcome yet. */
export function isOurText(text: string | undefined): boolean {
  const last = text?.trimEnd().split('\n').at(-1);
  return last !== undefined && findMarker(last) !== undefined;
}

const longest = 20_000;
const rest = "\n(The rest stands in the hospital's record only.)";

export interface DocumentTold {
  readonly document: JsonObject;
  /** Undefined: none can be read. */
  readonly text: string | undefined;
  /** Name of the hospital, where the document does not say it. */
  readonly hospital: string | undefined;
  /** The names of the proposals or records of the editions that it takes the place of. */
  readonly replaces: readonly string[];
}

/** The fields of the note that no lens reads. */
export function documentFields({ document, text, hospital, replaces: before }: DocumentTold): {
  readonly fixed: JsonObject;
  readonly otherwise: JsonObject;
} {
  const attachments = attachmentsOf(document);
  const titles = [conceptWords(document.type), ...attachments.map((one) => textAt(one, 'title'))];
  const title = [...titles, textAt(document, 'description')].find((one) => one !== undefined && one.trim() !== '');
  const authors = objectsAt(document, 'author').flatMap((one) => textAt(one, 'display') ?? []);
  const keeper = textAt(objectAt(document, 'custodian'), 'display') ?? hospital;
  const unread = text === undefined ? attachments.map(attachmentWords) : [];
  const sections = [
    { code: 'document', texts: [title] },
    { code: 'author', texts: authors },
    { code: 'hospital', texts: [keeper] },
    { code: 'attachment', texts: unread },
    { code: 'replaces', texts: before },
  ].flatMap(({ code, texts }) => {
    const words = texts.flatMap((one) => one?.trim() || []).join('; ');
    return words === '' ? [] : [{ code, text: cut(words, longest) }];
  });
  const date = documentTime(document);
  const signedAt = isInstant(document.date) ? document.date : undefined;
  return {
    fixed: {
      status: document.docStatus === 'amended' ? 'amended' : 'signed',
      text: text === undefined ? untold(title) : told(text),
      ...(sections.length > 0 && { sections }),
      ...(signedAt !== undefined && { signedAt }),
    },
    otherwise: { kind: 'other', ...(date !== undefined && { occurredAt: date }) },
  };
}

function attachmentWords(attachment: JsonObject): string {
  const [title, type] = [textAt(attachment, 'title'), textAt(attachment, 'contentType')];
  return title === undefined ? (type ?? '') : type === undefined ? title : `${title} (${type})`;
}

function untold(title: string | undefined): string {
  return cut(`${title?.trim() ?? 'A document'}\n(Its text stands in the hospital's record only.)`, longest);
}

function told(text: string): string {
  return text.length <= longest ? text : `${cut(text, longest - rest.length)}${rest}`;
}

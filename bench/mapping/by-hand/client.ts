// A client by hand: one Patient.

import type { ClientRecord } from '../../../src/records/records.ts';
import type { Table } from '../tables.ts';
import { urls, usCore } from './urls.ts';
import { codeIn, codingIn, concept, head, list, type Out, period, type Run, text } from './values.ts';

type Address = NonNullable<ClientRecord['addresses']>[number];
type Contact = NonNullable<ClientRecord['contacts']>[number];
type Identifier = NonNullable<ClientRecord['identifiers']>[number];
type Name = ClientRecord['names'][number];
type Phone = NonNullable<ClientRecord['phones']>[number];

export function patient(record: ClientRecord, run: Run): Out {
  const isSafe = record.preferredContact?.safeToContact !== false;
  const { identifier, meta } = head('client', 'patient', record, `${usCore}us-core-patient`, run);
  const identifiers = record.identifiers?.map((one, at) => identifierOf(one, `/identifiers/${at}`, run)) ?? [];
  return {
    resourceType: 'Patient',
    meta,
    extension: list<Out>([race(record, run), ethnicity(record, run), interpreter(record)]),
    identifier: list<Out>([...identifier, ...identifiers]),
    name: list(record.names.map((name, at) => nameOf(name, `/names/${at}`, run))),
    telecom: isSafe ? telecom(record, run) : undefined,
    gender: codeIn(run.tables.administrativeGender, record.sex, '/sex', run) ?? 'unknown',
    birthDate: record.birthDate,
    deceasedDateTime: record.deceasedOn,
    address: isSafe ? list(record.addresses?.map((one, at) => addressOf(one, `/addresses/${at}`, run))) : undefined,
    maritalStatus: concept(run.tables.maritalStatus, record.maritalStatus, '/maritalStatus', run),
    contact: isSafe ? list(record.contacts?.map((one, at) => contactOf(one, `/contacts/${at}`, run))) : undefined,
    communication: list<Out>(
      record.languages?.map(({ code, preferred }, at) => ({
        language: concept(run.tables.language, code, `/languages/${at}/code`, run),
        preferred,
      })),
    ),
  };
}

function race({ race: codes = [], raceText }: ClientRecord, run: Run): Out {
  if (raceText === undefined && !codes.some((code) => code !== 'hispanic')) return undefined;
  const detail = (url: string, table: Table): Out[] => {
    const codings = codes.map((code, at) => codingIn(table, code, `/race/${at}`, run));
    const there = codings.filter((coding) => coding !== undefined);
    const distinct = there.filter(({ code }, at) => there.findIndex((other) => other.code === code) === at);
    return distinct.map((valueCoding) => ({ url, valueCoding }));
  };
  const words =
    raceText === undefined
      ? [...new Set(codes.map(run.tables.raceWords.words))].join(', ')
      : text(raceText, '/raceText', run);
  const extension = list<Out>([
    ...detail('ombCategory', run.tables.raceOmb),
    ...detail('detailed', run.tables.raceDetailed),
    words === undefined ? undefined : { url: 'text', valueString: words },
  ]);
  return extension && { url: urls.usCoreRace, extension };
}

function ethnicity({ race: codes = [] }: ClientRecord, run: Run): Out {
  if (!codes.includes('hispanic')) return undefined;
  const valueCoding = codingIn(run.tables.ethnicity, 'hispanic', '/race', run);
  return {
    url: urls.usCoreEthnicity,
    extension: [
      { url: 'ombCategory', valueCoding },
      { url: 'text', valueString: 'Hispanic or Latino' },
    ],
  };
}

function interpreter({ languages }: ClientRecord): Out {
  return languages?.some((language) => language.interpreter === true)
    ? { url: urls.interpreterRequired, valueBoolean: true }
    : undefined;
}

function identifierOf({ kind, value, system, validFrom, validTo }: Identifier, at: string, run: Run): Out {
  if (kind === 'ssn' || kind === 'ssn-last4') return undefined;
  const named = system ?? run.context.identifierSystems[kind];
  if (named === undefined) run.issues.push({ code: 'no-identifier-system', pointer: `${at}/kind` });
  const words = text(value, `${at}/value`, run);
  if (named === undefined || words === undefined) return undefined;
  const type = concept(run.tables.identifierType, kind, `${at}/kind`, run);
  return { system: named, type, value: words, period: period(validFrom, validTo) };
}

function nameOf({ use, family, given, prefix, suffix }: Name, at: string, run: Run): Out {
  return {
    use: codeIn(run.tables.nameUse, use, `${at}/use`, run),
    family: text(family, `${at}/family`, run),
    given: list(given?.map((one, index) => text(one, `${at}/given/${index}`, run))),
    prefix: list([text(prefix, `${at}/prefix`, run)]),
    suffix: list([text(suffix, `${at}/suffix`, run)]),
  };
}

function telecom({ phones, emails }: ClientRecord, run: Run): Out {
  return list<Out>([
    ...(phones?.map((phone, at) => phoneOf(phone, `/phones/${at}`, run)) ?? []),
    ...(emails?.map((email, at): Out => {
      const value = text(email, `/emails/${at}`, run);
      return value === undefined ? undefined : { system: 'email', value };
    }) ?? []),
  ]);
}

function phoneOf({ id, number, kind }: Phone, at: string, run: Run): Out {
  const value = text(number, `${at}/number`, run);
  const use = codeIn(run.tables.phoneUse, kind, `${at}/kind`, run);
  return value === undefined ? undefined : { id, system: 'phone', value, use };
}

function addressOf(address: Address, at: string, run: Run): Out {
  const { id, use, lines, confidential } = address;
  if (use === 'none' || confidential === true) return undefined;
  const made = {
    use: codeIn(run.tables.addressUse, use, `${at}/use`, run),
    type: codeIn(run.tables.addressType, use, `${at}/use`, run),
    line: list(lines?.map((line, index) => text(line, `${at}/lines/${index}`, run))),
    city: text(address.city, `${at}/city`, run),
    district: text(address.county, `${at}/county`, run),
    state: text(address.state, `${at}/state`, run),
    postalCode: text(address.postalCode, `${at}/postalCode`, run),
    country: text(address.country, `${at}/country`, run),
    period: period(address.from, address.to),
  };
  return Object.values(made).some((value) => value !== undefined) ? { id, ...made } : undefined;
}

function contactOf(
  { id, name, relationship, legalRole, emergency, phone, mayShare }: Contact,
  at: string,
  run: Run,
): Out {
  if (mayShare !== true) return undefined;
  const said = list<Out>([
    concept(run.tables.contactRelationship, relationship, `${at}/relationship`, run),
    concept(run.tables.contactLegalRole, legalRole, `${at}/legalRole`, run),
    emergency === true ? { coding: [{ system: urls.v20131, code: 'C' }] } : undefined,
  ]);
  const words = text(name, `${at}/name`, run);
  const number = text(phone, `${at}/phone`, run);
  if (words === undefined) return undefined;
  return {
    id,
    relationship: said,
    name: { text: words },
    telecom: number === undefined ? undefined : [{ system: 'phone', value: number }],
  };
}

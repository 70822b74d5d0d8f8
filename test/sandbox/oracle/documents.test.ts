import { beforeEach, describe, expect, test } from '@jest/globals';
import { aDocument, anEncounter, aPatient, base64, idsOf, type Parsed, textOf, useOracle, xhtml } from './server.ts';

const server = useOracle();

beforeEach(() => server.seed(aPatient(), anEncounter()));

const attachment = (change: Parsed) => [
  { attachment: { contentType: 'application/xhtml+xml;charset=utf-8', data: xhtml('<p>Text</p>'), ...change } },
];

test('C15 a create answers 201 with an absolute Location, an opaque Etag and an empty body of type text/html', async () => {
  const answer = await server.fhir('POST', 'DocumentReference', { body: aDocument() });
  expect(answer.status).toBe(201);
  expect(answer.text).toBe('');
  expect(answer.headers.get('content-length')).toBe('0');
  expect(answer.headers.get('content-type')).toContain('text/html');
  expect(answer.headers.get('etag')).toBe('W/"1-1"');
  expect(answer.headers.get('location')).toMatch(new RegExp(`^${server.base}/DocumentReference/[A-Za-z0-9.-]+$`));

  const read = await server.fhir('GET', answer.headers.get('location') ?? '');
  expect(read.headers.get('etag')).toBe('W/"1-1"');
  expect(read.body).toMatchObject({ docStatus: 'final', meta: { versionId: '1-1' } });

  await server.seed({ resourceType: 'Organization', id: 'o1', name: 'Records office' });
  const body = aPatient({ id: undefined, identifier: [{ assigner: { reference: 'Organization/o1' } }] });
  expect((await server.fhir('POST', 'Patient', { body })).headers.get('etag')).toBe('W/"0"');

  await server.set({ emptyCreateReply: false });
  expect((await server.fhir('POST', 'DocumentReference', { body: aDocument() })).body.status).toBe('current');
});

describe('a document is refused with 422', () => {
  test.each<[string, Parsed, string]>([
    ['with an element that is not supported', { identifier: [{ value: 'x' }] }, 'business-rule'],
    [
      'with relatesTo',
      { relatesTo: [{ code: 'replaces', target: { reference: 'DocumentReference/1' } }] },
      'business-rule',
    ],
    [
      'with a modifier extension',
      { modifierExtension: [{ url: 'https://example.org/m', valueBoolean: true }] },
      'extension',
    ],
    [
      'with a modifier extension further down',
      {
        subject: { reference: 'Patient/p1', modifierExtension: [{ url: 'https://example.org/m', valueBoolean: true }] },
      },
      'extension',
    ],
    ['with implicitRules', { implicitRules: 'https://example.org/rules' }, 'not-supported'],
    [
      'with two code systems in one coding list',
      {
        type: {
          coding: [
            { system: 'http://loinc.org', code: '18776-5' },
            { system: 'https://fhir.cerner.com/x/codeSet/72', code: '20094' },
          ],
        },
      },
      'business-rule',
    ],
    ['without an attachment', { content: [] }, 'business-rule'],
    ['with two attachments', { content: [...attachment({}), ...attachment({})] }, 'business-rule'],
    [
      'with a URL in place of data',
      { content: attachment({ data: undefined, url: 'https://example.org/a' }) },
      'business-rule',
    ],
    ['without a charset', { content: attachment({ contentType: 'application/xhtml+xml' }) }, 'business-rule'],
    ['of another media type', { content: attachment({ contentType: 'image/png;charset=utf-8' }) }, 'business-rule'],
    ['without a time of service', { context: {} }, 'business-rule'],
    ['with a time of service that is a day', { context: { period: { end: '2026-03-02' } } }, 'business-rule'],
    [
      'with another context than period and encounter',
      { context: { ...aDocument().context, related: [{}] } },
      'business-rule',
    ],
    ['with an author who is no practitioner', { author: [{ display: 'Agency' }] }, 'business-rule'],
    ['with an author who is not here', { author: [{ reference: 'Practitioner/none' }] }, 'not-found'],
    ['without a subject', { subject: undefined }, 'required'],
    ['about a patient who is not here', { subject: { reference: 'Patient/none' } }, 'not-found'],
    ['with a status of old', { status: 'superseded' }, 'business-rule'],
    ['as entered in error from the start', { status: 'entered-in-error' }, 'business-rule'],
    ['as a draft', { docStatus: 'preliminary' }, 'business-rule'],
    ['with a type in words', { type: { text: 'Plan' } }, 'business-rule'],
  ])('C19 %s', async (_name, change, code) => {
    const answer = await server.fhir('POST', 'DocumentReference', { body: aDocument(change) });
    expect(answer.status).toBe(422);
    expect(answer.body.issue[0].code).toBe(code);
    expect((await server.control('GET', 'resources')).body.DocumentReference).toBeUndefined();
  });

  test('C19 without docStatus, in words that say nothing', async () => {
    const answer = await server.fhir('POST', 'DocumentReference', { body: aDocument({ docStatus: undefined }) });
    expect(answer.status).toBe(422);
    expect(answer.body.issue).toEqual([
      { severity: 'error', code: 'invalid', details: { text: 'Unprocessable entity' } },
    ]);
  });

  test('C19 but not where bodies are not checked', async () => {
    await server.set({ checkBodies: false });
    const body = aDocument({ docStatus: undefined, identifier: [{ value: 'x' }] });
    expect((await server.fhir('POST', 'DocumentReference', { body })).status).toBe(201);
  });
});

describe('XHTML is strict', () => {
  const page = (text: string) => aDocument({ content: attachment({ data: base64(text) }) });
  const head = '<html xmlns="http://www.w3.org/1999/xhtml"><head><title>t</title></head>';

  test.each([
    ['an element is not closed', `${head}<body><p>a</body></html>`],
    ['elements overlap', `${head}<body><b><i>a</b></i></body></html>`],
    ['the document ends early', `${head}<body><p>a</p>`],
    ['there is a < in the text', `${head}<body><p>1 < 2</p></body></html>`],
    ['there is a bare &', `${head}<body><p>salt & bread</p></body></html>`],
    ['there is an entity of HTML', `${head}<body><p>a&nbsp;b</p></body></html>`],
    ['an attribute has no quotes', `${head}<body><p class=x>a</p></body></html>`],
    ['an attribute comes twice', `${head}<body><p class="x" class="y">a</p></body></html>`],
    ['a name has capitals', `${head}<body><P>a</P></body></html>`],
    ['there is a control character', `${head}<body><p>a\u0007</p></body></html>`],
    ['there is no namespace', '<html><head><title>t</title></head><body><p>a</p></body></html>'],
    ['there is no title', '<html xmlns="http://www.w3.org/1999/xhtml"><head></head><body><p>a</p></body></html>'],
    ['the root is a div', '<div xmlns="http://www.w3.org/1999/xhtml"><p>a</p></div>'],
    ['there are two roots', `${head}<body></body></html>${head}<body></body></html>`],
    ['there is text after it', `${head}<body></body></html>more`],
    ['it is plain text', 'Food twice a week.'],
  ])('C19 refused where %s', async (_name, text) => {
    const answer = await server.fhir('POST', 'DocumentReference', { body: page(text) });
    expect(answer.status).toBe(422);
    expect(textOf(answer)).toContain('XHTML');
  });

  test.each([
    [
      'a declaration, a doctype and a comment',
      `<?xml version="1.0" encoding="UTF-8"?><!DOCTYPE html>${head}<body><!-- a --><p>b</p></body></html>`,
    ],
    ['known and numeric entities', `${head}<body><p>a &amp; b &#233; &#xE9; &lt;</p></body></html>`],
    [
      'tables, empty elements and attributes',
      `${head}<body><table summary="s"><tr><td colspan='2'>a<br/></td></tr></table><hr /></body></html>`,
    ],
    ['any script of the world', `${head}<body><p>עברית 漢字 Ødegård</p></body></html>`],
  ])('C19 taken with %s', async (_name, text) => {
    expect((await server.fhir('POST', 'DocumentReference', { body: page(text) })).status).toBe(201);
  });

  test('C19 scripts, styles and frames are taken out of what is stored', async () => {
    const text = `${head}<body><script>a()</script><p>b</p><style type="text/css">p {}</style><iframe src="x"/></body></html>`;
    const id = await server.created(page(text));
    const data = (await server.stored('DocumentReference', id)).content[0].attachment.data;
    expect(Buffer.from(data, 'base64').toString('utf8')).toBe(`${head}<body><p>b</p></body></html>`);
  });
});

test('C19 of a condition, an appointment and a patient the required elements are demanded too', async () => {
  const refused = async (body: Parsed) => {
    const answer = await server.fhir('POST', body.resourceType, { body });
    return [answer.status, answer.body.issue[0].expression?.[0]];
  };
  const condition = {
    resourceType: 'Condition',
    subject: { reference: 'Patient/p1' },
    code: { coding: [{ system: 'http://snomed.info/sct', code: '733423003' }] },
    category: [{ coding: [{ code: 'problem-list-item' }] }],
    clinicalStatus: { coding: [{ code: 'active' }] },
  };
  expect(await refused(condition)).toEqual([422, 'Condition.verificationStatus']);
  const verified = { ...condition, verificationStatus: { coding: [{ code: 'confirmed' }] } };
  expect(await refused({ ...verified, category: [{ coding: [{ code: 'health-concern' }] }] })).toEqual([
    422,
    'Condition.category',
  ]);
  expect(await refused({ ...verified, category: [{ coding: [{ code: 'encounter-diagnosis' }] }] })).toEqual([
    422,
    'Condition.encounter',
  ]);
  expect(await refused({ resourceType: 'Appointment', status: 'arrived', participant: [] })).toEqual([
    422,
    'Appointment.status',
  ]);
  expect(await refused(aPatient({ id: undefined }))).toEqual([422, 'Patient.identifier']);
  const assigned = [{ assigner: { reference: 'Organization/o1' } }];
  expect(await refused(aPatient({ identifier: assigned, name: [{ family: 'A' }] }))).toEqual([422, 'Patient.name']);
});

test('C19 an observation keeps no unknown elements, and only vitals and labs are taken', async () => {
  const observation = {
    resourceType: 'Observation',
    status: 'final',
    category: [{ coding: [{ code: 'vital-signs' }] }],
    code: { coding: [{ system: 'http://loinc.org', code: '29463-7' }] },
    subject: { reference: 'Patient/p1' },
    effectiveDateTime: '2026-03-02T10:00:00Z',
    valueQuantity: { value: 70, unit: 'kg' },
    bodySite: { text: 'whole' },
  };
  const id = await server.created(observation);
  expect((await server.stored('Observation', id)).bodySite).toBeUndefined();
  const survey = { ...observation, category: [{ coding: [{ code: 'survey' }] }] };
  expect((await server.fhir('POST', 'Observation', { body: survey })).status).toBe(422);
});

test('C20 If-None-Exist is ignored, and a create whose reply is lost has been done', async () => {
  const headers = { 'if-none-exist': 'patient=p1' };
  for (let times = 0; times < 2; times += 1) {
    expect((await server.fhir('POST', 'DocumentReference', { body: aDocument(), headers })).status).toBe(201);
  }
  await server.control('POST', 'faults', [
    { method: 'POST', path: 'DocumentReference', fault: { drop: 'after-commit' } },
  ]);
  await expect(server.fhir('POST', 'DocumentReference', { body: aDocument(), headers })).rejects.toThrow();
  const period = 'period=ge2026-03-02T00:00:00Z&period=lt2026-03-03T00:00:00Z';
  const found = await server.fhir('GET', `DocumentReference?patient=p1&${period}&type=http://loinc.org|18776-5`);
  expect(idsOf(found)).toHaveLength(3);

  await server.set({ conditionalCreate: true });
  const one = { 'if-none-exist': `_id=${idsOf(found)[0]}` };
  await server.control('DELETE', 'faults');
  await server.fhir('POST', 'DocumentReference', { body: aDocument(), headers: one });
  expect((await server.control('GET', 'resources')).body.DocumentReference).toBe(3);
});

describe('an attachment', () => {
  const accepting = (url: string, accept: string | undefined) =>
    server.fhir('GET', url, { headers: accept === undefined ? {} : { accept } });

  test('C29 is given out as an absolute Binary URL and read as its own type or as FHIR JSON, else 406', async () => {
    const id = await server.created(aDocument());
    const { url, data, contentType } = (await server.fhir('GET', `DocumentReference/${id}`)).body.content[0].attachment;
    expect(data).toBeUndefined();
    expect(url).toBe(`${server.base}/Binary/TR-${id}`);

    const raw = await accepting(url, contentType);
    expect(raw.status).toBe(200);
    expect(raw.headers.get('content-type')).toBe(contentType);
    expect(raw.text).toContain('<p>Food twice a week.</p>');
    expect((await accepting(url, 'application/fhir+json')).body).toMatchObject({ resourceType: 'Binary', contentType });
    for (const other of ['application/json', 'text/plain', '*/*']) {
      const refused = await accepting(url, other);
      expect([other, refused.status, refused.text]).toEqual([other, 406, '']);
    }
    await server.set({ checkBinaryAccept: false });
    expect((await accepting(url, '*/*')).body.resourceType).toBe('Binary');
  });

  test('C29 that is not there is 404', async () => {
    expect((await server.fhir('GET', 'Binary/TR-none')).status).toBe(404);
  });

  test('C29 that is no text comes byte by byte', async () => {
    const bytes = Buffer.from([0x25, 0x50, 0x44, 0x46, 0xff, 0xfe, 0x00, 0x80]);
    const id = await server.created(
      aDocument({ content: attachment({ contentType: 'application/pdf', data: bytes.toString('base64') }) }),
    );
    const response = await fetch(`${server.base}/Binary/TR-${id}`, { headers: { accept: 'application/pdf' } });
    expect(Buffer.from(await response.arrayBuffer())).toEqual(bytes);
  });
});

test('C31 an update of a document is an amendment and replaces its attachment; anything else is refused', async () => {
  const id = await server.created(aDocument());
  const put = (change: Parsed, tag = 'W/"1-1"') =>
    server.fhir('PUT', `DocumentReference/${id}`, { body: aDocument({ id, ...change }), headers: { 'if-match': tag } });
  const refused = await put({ docStatus: 'final' });
  expect([refused.status, refused.body.issue[0].expression]).toEqual([422, ['DocumentReference.docStatus']]);

  const content = attachment({ data: xhtml('<p>Food three times a week.</p>') });
  const amended = await put({ docStatus: 'amended', content });
  expect([amended.status, amended.text, amended.headers.get('etag')]).toEqual([200, '', 'W/"2-1"']);
  const binary = await server.fhir('GET', `Binary/TR-${id}`, { headers: { accept: 'application/xhtml+xml' } });
  expect(binary.text).toContain('three times');

  const retracted = await put({ docStatus: 'entered-in-error', status: 'entered-in-error' }, 'W/"2-1"');
  expect(retracted.status).toBe(200);

  await server.set({ checkAmendments: false });
  expect((await put({ docStatus: 'final' }, 'W/"3-1"')).status).toBe(200);
});

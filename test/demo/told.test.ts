// The demo says that a server was not told something: what it looks in, it must be able to find.

import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { changedSection } from '../../src/demo/chapters/documents.ts';
import { places } from '../../src/demo/places.ts';
import { Server } from '../../src/demo/server.ts';
import { toldAt } from '../../src/demo/told.ts';
import { startServer, type TestServer } from '../support/rig.ts';

let sandbox: TestServer;
let server: Server;

beforeAll(async () => {
  sandbox = await startServer();
  server = new Server(sandbox.url, places.exchange, AbortSignal.timeout(60_000));
});
afterAll(() => sandbox.stop());

async function file(text: string): Promise<void> {
  const { status } = await sandbox.fhir('POST', 'DocumentReference', {
    resourceType: 'DocumentReference',
    status: 'current',
    content: [{ attachment: { contentType: 'text/plain', data: Buffer.from(text).toString('base64') } }],
  });
  expect(status).toBe(201);
}

describe('what a server was told', () => {
  test('is found in the address of a search, in a body, and in the text of a document, where it may be wrapped', async () => {
    await sandbox.fhir('GET', 'Patient?family=Whitlock');
    await sandbox.fhir('POST', 'Patient', { resourceType: 'Patient', name: [{ family: 'Greene' }] });
    await file('Asked for: a place in the evening\n  group. Ref CB-000000000000 v1');
    const words = ['Whitlock', 'Greene', 'in the evening group', 'Wednesdays'];
    expect(await toldAt(server, words)).toEqual(['Whitlock', 'Greene', 'in the evening group']);
  });

  test('is not found where nobody said it', async () => {
    expect(await toldAt(server, ['never said'])).toEqual([]);
  });
});

describe('the section that says what changed', () => {
  const note = (text: string) => ({ id: '1', docStatus: 'final', text, edition: 2, replaces: '' });

  test.each([
    ['a note', 'CASE\n\nCHANGED SINCE THE LAST ONE\n- Goal: "x" -\n  now improving\n\nNEEDS\n- Food\n'],
    [
      'an XHTML document',
      '<h2>Changed since the last one</h2>\n<ul>\n<li>Goal: "x" -\n  now improving</li>\n</ul>\n<h2>Needs</h2>\n<p>Food</p>',
    ],
  ])('of %s ends where the next begins', (_form, text) => {
    const [heading, ...lines] = changedSection(note(text));
    expect(heading).toMatch(/^changed since the last one$/i);
    expect(lines).toEqual(['- Goal: "x" -', '  now improving']);
  });
});

// What faults do to the bytes themselves, on each of the simulated servers, seen through a bare socket.

import { once } from 'node:events';
import net from 'node:net';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { type Sandbox, startSandbox } from '../../src/sandbox/sandbox.ts';

let sandbox: Sandbox;

beforeAll(async () => {
  sandbox = await startSandbox({ port: 0 });
});
afterAll(() => sandbox.stop());

interface Seen {
  readonly head: string;
  readonly body: string;
  /** How the connection ended: FIN from the server, or the error of the socket. */
  readonly end: string;
  readonly ms: number;
}

/** Asks once, and reads until the server ends the connection or the promised bytes are there. */
async function ask(url: string): Promise<Seen> {
  const { hostname, port, pathname, host } = new URL(url);
  const startedAt = performance.now();
  const socket = net.connect({ host: hostname, port: Number(port), allowHalfOpen: true });
  socket.write(`GET ${pathname} HTTP/1.1\r\nHost: ${host}\r\nAccept: application/fhir+json\r\n\r\n`);
  const chunks: Buffer[] = [];
  let length = 0;
  let whole = Number.POSITIVE_INFINITY;
  const ended = new Promise<string>((resolve) => {
    socket.on('error', (error) => resolve('code' in error ? String(error.code) : error.message));
    socket.on('end', () => resolve('closed'));
    socket.on('data', (more) => {
      chunks.push(more);
      length += more.length;
      if (whole === Number.POSITIVE_INFINITY) whole = wholeLength(Buffer.concat(chunks).toString());
      if (length >= whole) resolve('whole');
    });
  });
  const end = await ended;
  socket.destroy();
  await once(socket, 'close');
  const [head = '', ...rest] = Buffer.concat(chunks).toString().split('\r\n\r\n');
  return { head, body: rest.join('\r\n\r\n'), end, ms: performance.now() - startedAt };
}

function promised(head: string): number {
  return Number(/content-length: (\d+)/i.exec(head)?.[1] ?? 0);
}

/** Bytes of head and body together; unknown before the head is there. */
function wholeLength(text: string): number {
  const headEnd = text.indexOf('\r\n\r\n');
  return headEnd < 0 ? Number.POSITIVE_INFINITY : headEnd + 4 + promised(text.slice(0, headEnd));
}

describe.each(['standard', 'epic', 'oracle'])('on %s', (name) => {
  const url = () => `${sandbox.fhirBases[name]}/metadata`;

  async function control(path: string, body?: unknown): Promise<string> {
    const post = body === undefined ? {} : { method: 'POST', body: JSON.stringify(body) };
    const response = await fetch(`${sandbox.url}/_control/${name}/${path}`, post);
    if (!response.ok) throw new Error(await response.text());
    return response.text();
  }

  const faults = (fault: object) => control('faults', [{ method: 'GET', path: 'metadata', nth: 1, fault }]);

  beforeEach(async () => {
    await control('reset', {});
  });

  test('without a fault the answer is whole, and the same connection would take another request', async () => {
    const { head, body, end } = await ask(url());
    expect(head).toContain('200 OK');
    expect(end).toBe('whole');
    expect(JSON.parse(body).resourceType).toBe('CapabilityStatement');
  });

  test('a drop closes the connection in order, without a byte', async () => {
    await faults({ drop: 'before-commit' });
    expect(await ask(url())).toMatchObject({ head: '', end: 'closed' });
  });

  test('a reset tears it down, without a byte', async () => {
    await faults({ drop: 'after-commit', cut: 'reset' });
    expect(await ask(url())).toMatchObject({ head: '', end: 'ECONNRESET' });
    expect(JSON.parse(await control('journal'))).toMatchObject([{ status: 0 }]);
  });

  test.each([
    ['close', 'closed'],
    ['reset', 'ECONNRESET'],
  ])('a break-off (%s) comes after the bytes it says, although more were promised', async (cut, end) => {
    await faults({ breakOff: 60, cut });
    const seen = await ask(url());
    expect(seen.head).toContain('200 OK');
    expect(promised(seen.head)).toBeGreaterThan(1000);
    expect(seen.end).toBe(end);
    expect(seen.body).toHaveLength(60);
  });

  test('a trickle sends the whole body, piece by piece', async () => {
    await faults({ status: 200, body: 'x'.repeat(50), trickle: { bytes: 10, everyMs: 20 } });
    const seen = await ask(url());
    expect(seen).toMatchObject({ body: 'x'.repeat(50), end: 'whole' });
    expect(seen.ms).toBeGreaterThan(90);
  });

  test('a large error body has all the bytes it says', async () => {
    const issue = [{ severity: 'error', code: 'exception' }];
    await faults({ status: 500, body: { resourceType: 'OperationOutcome', issue }, bodyBytes: 10_000_000 });
    const seen = await ask(url());
    expect(seen.head).toContain('500');
    expect(Buffer.byteLength(seen.body)).toBe(10_000_000);
    expect(JSON.parse(seen.body).issue).toEqual(issue);
  });

  test('a lie is told after the work was done: another body, another Location, no Location', async () => {
    const headers = { location: 'https://elsewhere.example.org/Patient/1' };
    await control('faults', [{ method: 'POST', nth: 1, fault: { status: 201, headers, at: 'after-commit' } }]);
    const reply = await fetch(url().replace('/metadata', '/Patient'), {
      method: 'POST',
      headers: { 'content-type': 'application/fhir+json', accept: 'application/fhir+json' },
      body: JSON.stringify({ resourceType: 'Patient' }),
    });
    expect([reply.status, reply.headers.get('location'), await reply.text()]).toEqual([201, headers.location, '']);
  });

  test.each([
    ['an unknown way to cut', { drop: 'before-commit', cut: 'hard' }, '/0/fault/cut'],
    ['pieces of nothing', { trickle: { bytes: 0, everyMs: 1 } }, '/0/fault/trickle/bytes'],
    ['a body without bound', { bodyBytes: 1e12 }, '/0/fault/bodyBytes'],
  ])('%s is refused by name', async (_title, fault, named) => {
    await expect(faults(fault)).rejects.toThrow(named);
  });
});

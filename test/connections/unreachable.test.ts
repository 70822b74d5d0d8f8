// A server that cannot be reached, or is not the one it should be: a fault in plain words, and our credentials stay at home.

import https from 'node:https';
import net from 'node:net';
import tls from 'node:tls';
import { afterEach, describe, expect, test } from '@jest/globals';
import { defaultLimits, openExchanger } from '../../src/connections/exchange.ts';
import { connectTo, listen, startBytes, startServer, stopAll } from './fhir-server.ts';
import { untrustedCertificate } from './untrusted-certificate.ts';

afterEach(stopAll);

const auth = { type: 'bearer', token: 'secret-token' } as const;
const patient = { resourceType: 'Patient', id: 'p1' };

function read(url: string) {
  return connectTo({ url }, { auth }).client.send({ method: 'GET', path: 'Patient/p1' });
}

test('80: a certificate that cannot be trusted: nothing of the request arrives', async () => {
  let requests = 0;
  const server = https.createServer(untrustedCertificate(), (_request, response) => {
    requests += 1;
    response.end();
  });
  const port = await listen(server);
  try {
    const fault = await read(`https://127.0.0.1:${port}/r4`);
    expect(fault).toMatchObject({ fault: 'tls', sent: false });
    expect(fault).toHaveProperty(
      'text',
      `No safe connection to 127.0.0.1:${port}: its certificate cannot be trusted, it is self-signed (DEPTH_ZERO_SELF_SIGNED_CERT). ` +
        'Mend the certificate, or name its authority in NODE_EXTRA_CA_CERTS; the check cannot be turned off.',
    );
    expect(requests).toBe(0);
  } finally {
    server.close();
  }
});

test('a secure connection that breaks after the request has arrived: it may have been done', async () => {
  const certificate = untrustedCertificate();
  const trusted = tls.getCACertificates('default');
  tls.setDefaultCACertificates([...trusted, certificate.cert]);
  let arrived = '';
  const wires: net.Socket[] = [];
  const server = tls.createServer(certificate, (socket) => {
    socket.on('error', () => {});
    socket.on('data', (data) => {
      arrived += data;
      // What no TLS peer says.
      if (arrived.includes('Goal"')) wires.at(-1)?.write('HTTP/1.1 502 Bad Gateway\r\n\r\n');
    });
  });
  const port = await listen(server);
  const wire = net.createServer((socket) => {
    const onward = net.connect(port, '127.0.0.1');
    wires.push(socket);
    for (const end of [socket, onward]) end.on('error', () => {});
    socket.on('close', () => onward.destroy());
    socket.pipe(onward).pipe(socket);
  });
  const wirePort = await listen(wire);
  try {
    const { client } = connectTo({ url: `https://localhost:${wirePort}/r4` }, { auth });
    const fault = await client.send({ method: 'POST', path: 'Goal', body: { resourceType: 'Goal' } });
    expect(arrived).toContain('POST /r4/Goal');
    expect(fault).toMatchObject({ fault: 'tls', sent: true });
  } finally {
    tls.setDefaultCACertificates(trusted);
    for (const socket of wires) socket.destroy();
    wire.close();
    server.close();
  }
});

test('a server without TLS at an https address', async () => {
  const server = await startServer(() => ({ body: patient }));
  expect(await read(server.url.replace('http:', 'https:'))).toMatchObject({ fault: 'tls', sent: false });
  expect(server.arrived).toEqual([]);
});

test('nothing listens', async () => {
  const taken = net.createServer();
  const port = await listen(taken);
  taken.close();
  expect(await read(`http://127.0.0.1:${port}/r4`)).toMatchObject({
    fault: 'refused',
    sent: false,
    text: `Nothing answers at 127.0.0.1:${port}: the connection was refused. Check baseUrl, and that the server runs.`,
  });
});

test('a name that DNS does not know', async () => {
  expect(await read('http://no-such-host.invalid/r4')).toMatchObject({
    fault: 'dns',
    sent: false,
    text: 'The name no-such-host.invalid is not known to DNS. Check baseUrl and the network.',
  });
});

test('a server that takes the request and says nothing', async () => {
  const server = await startBytes(() => undefined);
  const { client } = connectTo(server, {}, { limits: { totalMs: 500 } });
  expect(await client.send({ method: 'GET', path: 'Patient/p1' })).toMatchObject({ fault: 'timeout', sent: true });
});

test('a server that accepts the connection and never shakes hands', async () => {
  const server = await startBytes(() => undefined);
  const secure = { url: server.url.replace('http:', 'https:') };
  const { client } = connectTo(secure, {}, { limits: { connectMs: 50 } });
  expect(await client.send({ method: 'POST', path: 'Goal', body: {} })).toMatchObject({
    fault: 'timeout',
    sent: false,
  });
});

test('a server that hangs up after reading a write: it may have done it', async () => {
  const server = await startBytes((socket) => socket.once('data', () => socket.destroy()));
  const { client } = connectTo(server);
  expect(await client.send({ method: 'POST', path: 'Goal', body: {} })).toMatchObject({ fault: 'reset', sent: true });
});

test('the same on a socket that was used before', async () => {
  const { server } = await hangsUpOnTheSecond();
  const { client } = connectTo(server);
  expect(await client.send({ method: 'GET', path: 'Goal/g1' })).toMatchObject({ status: 204 });
  expect(await client.send({ method: 'POST', path: 'Goal', body: {} })).toMatchObject({ fault: 'reset', sent: true });
});

test('the same on a socket that another request has just given back', async () => {
  const { server, requests } = await hangsUpOnTheSecond();
  const exchanger = openExchanger({ connection: 'general', concurrency: 1, limits: defaultLimits });
  const { signal } = new AbortController();
  const write = () =>
    exchanger.exchange({
      method: 'POST',
      url: new URL(`${server.url}/Goal`),
      headers: {},
      body: '{}',
      deadline: { at: Number.POSITIVE_INFINITY, signal },
    });
  expect(await Promise.all([write(), write()])).toMatchObject([{ status: 204 }, { fault: 'reset', sent: true }]);
  expect(requests()).toBe(2);
  exchanger.close();
});

/** Answers the first request on its socket, reads the second, and hangs up. */
async function hangsUpOnTheSecond() {
  let requests = 0;
  const server = await startBytes((socket) => {
    socket.on('data', () => {
      requests += 1;
      if (requests === 1) {
        socket.write('HTTP/1.1 204 No Content\r\n\r\n');
      } else {
        socket.destroy();
      }
    });
  });
  return { server, requests: () => requests };
}

describe('72: a redirect', () => {
  test('to another host is not followed, and the token does not go there', async () => {
    const elsewhere = await startServer(() => ({ body: patient }));
    const server = await startServer(() => ({
      status: 302,
      headers: { location: `${elsewhere.url}/Patient/p1?name=Doe` },
    }));
    const fault = await read(server.url);
    expect(fault).toMatchObject({ fault: 'redirect', status: 302, sent: true });
    expect(fault).toHaveProperty(
      'text',
      expect.stringContaining(`redirects to ${new URL(elsewhere.url).origin}, which`),
    );
    expect(elsewhere.arrived).toEqual([]);
  });

  test('from https to http on the same host is another origin', async () => {
    const server = await startServer(({ headers }) => ({
      status: 301,
      headers: { location: `https://${headers.host}/r4/Patient/p1` },
    }));
    expect(await read(server.url)).toMatchObject({ fault: 'redirect', status: 301 });
  });

  test('of a read on the same origin is followed, and said', async () => {
    const server = await startServer(({ url }) =>
      url.endsWith('p1')
        ? { status: 301, headers: { location: 'p2' } }
        : { body: { resourceType: 'Patient', id: 'p2' } },
    );
    expect(await read(server.url)).toMatchObject({ status: 200, body: { id: 'p2' }, redirected: true });
    expect(server.arrived.map(({ headers }) => headers.authorization)).toEqual(Array(2).fill('Bearer secret-token'));
  });

  test('is followed three times at most', async () => {
    const server = await startServer(() => ({ status: 307, headers: { location: '/r4/Patient/p1' } }));
    expect(await read(server.url)).toMatchObject({ fault: 'redirect' });
    expect(server.arrived).toHaveLength(4);
  });

  test('of a write is never followed', async () => {
    const server = await startServer(() => ({ status: 307, headers: { location: '/r4/elsewhere' } }));
    const { client } = connectTo(server);
    expect(await client.send({ method: 'POST', path: 'Goal', body: {} })).toMatchObject({ fault: 'redirect' });
    expect(server.arrived).toHaveLength(1);
  });

  test.each<Record<string, string>>([{}, { location: 'http://' }])(
    'with the headers %j leads nowhere',
    async (headers) => {
      const server = await startServer(() => ({ status: 302, headers }));
      expect(await read(server.url)).toMatchObject({ fault: 'redirect' });
    },
  );
});

// A request is given up at its time, wherever it is then: waiting for its turn, for a socket, for a token or for the answer (lanes.md 8).

import { afterEach, expect, test } from '@jest/globals';
import type { FhirRequest } from '../../src/connections/connections.ts';
import { connectTo, gate, startBytes, startServer, stopAll } from './fhir-server.ts';

afterEach(stopAll);

const create: FhirRequest = { method: 'POST', path: 'Goal', body: { resourceType: 'Goal' } };
const oneAtATime = { rateLimit: { requestsPerSecond: 1000, concurrency: 1 } };

test('a time that is past: nothing is sent', async () => {
  const server = await startServer(() => ({ status: 201 }));
  const { client } = connectTo(server);
  expect(await client.send({ ...create, sendBefore: Date.now() - 1 })).toMatchObject({ fault: 'aborted', sent: false });
  expect(server.arrived).toEqual([]);
});

test('a time that is far off stops nothing', async () => {
  const server = await startServer(() => ({ status: 201, headers: { location: 'Goal/g1' } }));
  const sendBefore = Date.now() + 90 * 24 * 3_600_000;
  expect(await connectTo(server).client.send({ ...create, sendBefore })).toMatchObject({ status: 201 });
});

test('while it waits behind another request: it never arrives, and the other one is not disturbed', async () => {
  const answer = gate();
  const server = await startServer(async () => {
    await answer.opened;
    return { status: 201 };
  });
  const { client } = connectTo(server, oneAtATime);
  const first = client.send(create);
  const second = await client.send({ ...create, sendBefore: Date.now() + 30 });
  expect(second).toMatchObject({ fault: 'aborted', sent: false });
  answer.open();
  expect(await first).toMatchObject({ status: 201 });
  expect(await client.send({ method: 'GET', path: 'Goal/g1' })).toMatchObject({ status: 201 });
  expect(server.arrived.map(({ method }) => method)).toEqual(['POST', 'GET']);
});

test('while the server works: it may have been done', async () => {
  const server = await startServer(() => gate<never>().opened);
  const { client } = connectTo(server);
  expect(await client.send({ ...create, sendBefore: Date.now() + 30 })).toMatchObject({ fault: 'aborted', sent: true });
  expect(server.arrived).toHaveLength(1);
});

test('while the connection is being made: nothing was sent', async () => {
  const server = await startBytes(() => undefined);
  const { client } = connectTo({ url: server.url.replace('http:', 'https:') });
  expect(await client.send({ ...create, sendBefore: Date.now() + 30 })).toMatchObject({
    fault: 'aborted',
    sent: false,
  });
});

test('when the process was too busy to notice the time, the request is still not sent', async () => {
  const server = await startServer(() => ({ status: 201 }));
  const { client } = connectTo(server);
  // Leaves an open socket, onto which a request could be written at once.
  await client.send({ method: 'GET', path: 'Goal/g1' });
  const sending = client.send({ ...create, sendBefore: Date.now() + 20 });
  const until = performance.now() + 40;
  while (performance.now() < until) {
    // Hold the event loop, as a long computation does.
  }
  expect(await sending).toMatchObject({ fault: 'aborted', sent: false });
  expect(server.arrived.map(({ method }) => method)).toEqual(['GET']);
});

test('closing gives up what is under way and what waits', async () => {
  const server = await startServer(() => gate<never>().opened);
  const { client } = connectTo(server, oneAtATime);
  const both = [client.send(create), client.send({ ...create, sendBefore: Date.now() + 60_000 })];
  client.close();
  expect(await Promise.all(both)).toMatchObject([{ fault: 'aborted' }, { fault: 'aborted', sent: false }]);
});

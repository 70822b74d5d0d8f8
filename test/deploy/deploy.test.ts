// The examples in deploy/ speak of commands, flags, ports, environment variables and health paths: all of them are there.

import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { parse, parseAllDocuments } from 'yaml';
import { stopWithinMs } from '../../src/commands/process.ts';
import { checkConfig } from '../../src/config.ts';
import { monitorRoutes } from '../../src/http/handlers/health.ts';
import { isObject, type Json, type JsonObject } from '../../src/json.ts';
import { commandLine } from '../commands/program.ts';

const root = join(import.meta.dirname, '..', '..');
const read = (path: string) => readFile(join(root, path), 'utf8');
const dockerfile = await read('Dockerfile');
const composeText = await read('deploy/compose.yaml');
const composeConfiguration = await read('deploy/casebridge.yaml');
const kubernetesText = await read('deploy/kubernetes.yaml');

/** What `serve` answers, and a worker as well. */
const monitored = monitorRoutes.map(({ path }) => path);

/** What a program of an example is given. */
interface Given {
  readonly words: readonly string[];
  readonly variables: readonly string[];
  readonly mounted: readonly string[];
}

describe('compose.yaml', () => {
  const compose: Json = parse(composeText, { merge: true });
  const configuration = composeConfiguration;
  const [serve, worker] = [service('serve'), service('worker')];

  function service(name: string): JsonObject {
    return objectAt(compose, 'services', name);
  }

  function given(name: string): Given {
    const one = service(name);
    return {
      words: textsAt(one, 'command'),
      // NODE_OPTIONS is for Node.js.
      variables: Object.keys(objectAt(one, 'environment')).filter((name) => name !== 'NODE_OPTIONS'),
      mounted: textsAt(one, 'volumes').map((volume) => volume.split(':')[1] ?? ''),
    };
  }

  programs('serve', 'worker', given, configuration);

  test('serve publishes the port on which it listens, to this machine alone', async () => {
    const port = await portOf(configuration);
    expect(textsAt(serve, 'ports')).toEqual([`127.0.0.1:${port}:${port}`]);
  });

  test.each([
    ['serve', async () => portOf(configuration)],
    ['worker', async () => workersPort(textsAt(worker, 'command'))],
  ])('the health check of %s asks a path and a port that there are', async (name, portOfIt) => {
    const asked = textsAt(service(name), 'healthcheck', 'test').join(' ');
    const [, port, path = ''] = asked.match(/http:\/\/127\.0\.0\.1:(\d+)(\/[a-z/]+)/) ?? [];
    expect(Number(port)).toBe(await portOfIt());
    expect(monitored).toContain(path);
  });

  test('two workers wait for serve, which waits for the servers', () => {
    expect(at(worker, 'deploy', 'replicas')).toBe(2);
    expect(Object.keys(objectAt(worker, 'depends_on'))).toEqual(['serve']);
    expect(Object.keys(objectAt(serve, 'depends_on'))).toEqual(['postgres', 'redis']);
  });

  test('PostgreSQL and Redis are of versions and with settings that doctor does not mind', () => {
    expect(versionOf(service('postgres'))).toBeGreaterThanOrEqual(15);
    expect(textsAt(service('postgres'), 'command').join(' ')).not.toMatch(/fsync|full_page_writes|synchronous_commit/);
    expect(versionOf(service('redis'))).toBeGreaterThanOrEqual(7);
    expect(textsAt(service('redis'), 'command').join(' ')).toBe(
      'redis-server --maxmemory-policy noeviction --appendonly yes',
    );
  });

  test('what its comment says is typed as it is', () => typedLinesWork(composeText));
});

test('a process is given more time to stop than it takes, and the texts say how long that is', async () => {
  expect(stopWithinMs).toBeLessThan(30_000);
  expect(composeText).toContain('within 30 seconds of SIGTERM');
  expect(await read('docs/production.md')).toContain('ended within 30 seconds');
  const graces = [
    ...composeText.matchAll(/stop_grace_period: (\d+)s/g),
    ...kubernetesText.matchAll(/terminationGracePeriodSeconds: (\d+)/g),
  ].map(([, seconds]) => Number(seconds));
  expect(graces).toHaveLength(4);
  expect(Math.min(...graces)).toBeGreaterThan(30);
});

describe('kubernetes.yaml', () => {
  const documents = parseAllDocuments(kubernetesText).map((one): Json => one.toJS());
  const configuration = textAt(document('ConfigMap', 'casebridge'), 'data', 'casebridge.yaml');
  // Its keys stand in the command that makes it.
  const secret = [...kubernetesText.matchAll(/--from-literal=(\w+)/g)].map(([, name = '']) => name);

  function document(kind: string, name: string): Json {
    const found = documents.find((one) => at(one, 'kind') === kind && at(one, 'metadata', 'name') === name);
    if (found === undefined) throw new Error(`there is no ${kind} ${name}`);
    return found;
  }

  function container(name: string): JsonObject {
    return objectAt(document('Deployment', `casebridge-${name}`), 'spec', 'template', 'spec', 'containers', 0);
  }

  function given(name: string): Given {
    const one = container(name);
    const folder = textAt(one, 'volumeMounts', 0, 'mountPath');
    expect(textAt(one, 'envFrom', 0, 'secretRef', 'name')).toBe('casebridge');
    return { words: textsAt(one, 'args'), variables: secret, mounted: [`${folder}/casebridge.yaml`] };
  }

  programs('serve', 'worker', given, configuration);

  test('the Service leads to the port on which serve listens', async () => {
    const [port] = listAt(container('serve'), 'ports');
    expect(at(port, 'containerPort')).toBe(await portOf(configuration));
    const service = document('Service', 'casebridge');
    expect(at(service, 'spec', 'ports', 0, 'targetPort')).toBe(at(port, 'name'));
    expect(at(service, 'spec', 'selector')).toEqual({ app: 'casebridge', part: 'serve' });
  });

  test('the probes of a worker ask the port that it is given', () => {
    const [port] = listAt(container('worker'), 'ports');
    expect(at(port, 'containerPort')).toBe(workersPort(textsAt(container('worker'), 'args')));
  });

  describe.each(['serve', 'worker'])('of %s', (name) => {
    test.each([
      ['startupProbe', '/health/live'],
      ['livenessProbe', '/health/live'],
      ['readinessProbe', '/health/ready'],
    ])('%s asks %s, which there is', (probe, path) => {
      const [port] = listAt(container(name), 'ports');
      expect(at(container(name), probe, 'httpGet')).toEqual({ path, port: at(port, 'name') });
      expect(monitored).toContain(path);
    });
  });

  test.each(['serve', 'worker'])('%s: labels, selectors and the disruption budget name each other', (part) => {
    const labels = { app: 'casebridge', part };
    const deployment = document('Deployment', `casebridge-${part}`);
    expect(at(deployment, 'spec', 'selector', 'matchLabels')).toEqual(labels);
    expect(at(deployment, 'spec', 'template', 'metadata', 'labels')).toEqual(labels);
    const budget = document('PodDisruptionBudget', `casebridge-${part}`);
    expect(at(budget, 'spec', 'selector', 'matchLabels')).toEqual(labels);
    expect(at(budget, 'spec', 'minAvailable')).toBeLessThan(Number(at(deployment, 'spec', 'replicas')));
  });

  test('a new version of the worker starts when the old ones have ended, and serve may take an hour to change large tables', () => {
    expect(at(document('Deployment', 'casebridge-worker'), 'spec', 'strategy', 'type')).toBe('Recreate');
    for (const name of ['serve', 'worker']) {
      const { periodSeconds, failureThreshold } = objectAt(container(name), 'startupProbe');
      expect(Number(periodSeconds) * Number(failureThreshold)).toBe(3_600);
    }
  });

  test('it runs as the user of the image', () => {
    expect(dockerfile).toMatch(/^USER node$/m);
    for (const part of ['serve', 'worker']) {
      const pod = document('Deployment', `casebridge-${part}`);
      expect(at(pod, 'spec', 'template', 'spec', 'securityContext')).toEqual({ runAsNonRoot: true, runAsUser: 1000 });
    }
  });

  test('both examples have one configuration', () => {
    expect(parse(configuration)).toEqual(parse(composeConfiguration));
  });

  test.each(['serve', 'worker'])('%s has the heap that compose.yaml gives, with room beside it', (name) => {
    const options = textAt(container(name), 'env', 0, 'value');
    expect(options).toBe(textAt(parse(composeText), 'x-casebridge', 'environment', 'NODE_OPTIONS'));
    const [, heap] = /--max-old-space-size=(\d+)/.exec(options) ?? [];
    const [, limit] = /^(\d+)Mi$/.exec(textAt(container(name), 'resources', 'limits', 'memory')) ?? [];
    expect(Number(heap) * 2).toBeLessThanOrEqual(Number(limit));
  });

  test('what its comment says is typed as it is', () => typedLinesWork(kubernetesText));
});

/** For both examples: what a program is started with exists, and what its configuration asks for is given. */
function programs(serve: string, worker: string, given: (name: string) => Given, configuration: string): void {
  test.each([serve, worker])('%s is a command of the product, with flags that it has', async (name) => {
    const { words } = given(name);
    expect(words[0]).toBe(name);
    await expectCommand(words);
  });

  test.each([serve, worker])(
    '%s reads a configuration that is mounted, with every variable that it names',
    async (name) => {
      const { words, variables, mounted } = given(name);
      expect(mounted).toContain(words[words.indexOf('--config') + 1]);
      const env = Object.fromEntries(variables.map((variable) => [variable, valueFor(variable)]));
      expect(await checkConfig('casebridge.yaml', configuration, env)).toHaveProperty('config');
      const named = [...configuration.matchAll(/env:(\w+)/g)].map(([, variable = '']) => variable);
      expect(variables.toSorted()).toEqual(named.toSorted());
    },
  );

  test('its operator may pause, drain and resume connections', () => {
    const [ops] = Object.values(objectAt(parse(configuration), 'operators'));
    expect(textsAt(ops ?? null, 'may')).toContain('configure');
  });

  test('serve leaves the lanes to the workers', () => {
    expect(given(serve).words).toContain('--no-lanes');
  });
}

function valueFor(variable: string): string {
  const urls: Record<string, string> = { DATABASE_URL: 'postgres://db/casebridge', REDIS_URL: 'redis://redis' };
  return urls[variable] ?? `secret-of-${variable}`;
}

async function portOf(configuration: string): Promise<number> {
  const variables = [...configuration.matchAll(/env:(\w+)/g)].map(([, name = '']) => [name, valueFor(name)]);
  const checked = await checkConfig('casebridge.yaml', configuration, Object.fromEntries(variables));
  if (!('config' in checked)) throw new Error('the configuration is refused');
  const { port } = checked.config.server;
  expect(dockerfile).toContain(`EXPOSE ${port}\n`);
  return port;
}

async function expectCommand([command = '', ...words]: readonly string[]): Promise<void> {
  const help = await commandLine([command, '--help']);
  expect(help).toMatchObject({ code: 0, err: '' });
  for (const flag of words.filter((word) => word.startsWith('--'))) expect(help.out).toContain(`  ${flag} `);
}

/** The lines of the comment that call the product. */
async function typedLinesWork(text: string): Promise<void> {
  const calls = [...text.matchAll(/^# .* node src\/main\.ts (.*)$/gm)].map(([, words = '']) => words);
  expect(calls).toHaveLength(1);
  for (const words of calls) await expectCommand(words.split(' '));
}

function workersPort(words: readonly string[]): number {
  return Number(words[words.indexOf('--port') + 1]);
}

function versionOf(service: Json): number {
  return Number(textAt(service, 'image').split(':')[1]);
}

function at(value: Json | undefined, ...path: (string | number)[]): Json | undefined {
  let found = value;
  for (const step of path) {
    if (typeof step === 'number') found = Array.isArray(found) ? found[step] : undefined;
    else found = isObject(found) ? found[step] : undefined;
  }
  return found;
}

function objectAt(value: Json, ...path: (string | number)[]): JsonObject {
  const found = at(value, ...path);
  if (!isObject(found)) throw new Error(`there is no ${path.join('.')}`);
  return found;
}

function listAt(value: Json, ...path: (string | number)[]): Json[] {
  const found = at(value, ...path);
  if (!Array.isArray(found)) throw new Error(`there is no list ${path.join('.')}`);
  return found;
}

function textAt(value: Json, ...path: (string | number)[]): string {
  const found = at(value, ...path);
  if (typeof found !== 'string') throw new Error(`there is no text ${path.join('.')}`);
  return found;
}

function textsAt(value: Json, ...path: (string | number)[]): string[] {
  return listAt(value, ...path).map(String);
}

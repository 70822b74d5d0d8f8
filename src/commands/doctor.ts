// `doctor`: what is wrong with the configuration, the store and the connections, in plain words.

import { InvalidArgumentError } from 'commander';
import { type Config, loadConfig, tokenWarnings } from '../config.ts';
import { CasebridgeError, type Reason } from '../errors.ts';
import { isObject, type Json, type JsonObject, objectsAt } from '../json.ts';
import type { Store } from '../store/store.ts';
import { type CommandCall, type CommandLine, textOption } from './command.ts';
import { pollLines } from './doctor-polls.ts';
import { openLogger } from './process.ts';
import { type RemoteGateway, remoteGateway } from './remote-gateway.ts';
import { aligned } from './terminal.ts';

export const doctor: CommandLine = {
  name: 'doctor',

  describe(command) {
    command
      .description('Check the configuration, the store and the connections, and show the route of each record type.')
      .argument('[connection]', 'this connection only')
      .option('--processes <count>', 'how many serve and worker processes are to run, for PostgreSQL', countOf, 1)
      .option('--url <url>', 'ask a running gateway')
      .option('--token <reference>', "an operator's or source's token for --url, as env:NAME or file:PATH");
  },

  async run(call) {
    const remote = await remoteGateway(call);
    const { general, reports } = remote ? await askGateway(remote, call) : await examineHere(call);
    const [named] = call.words;
    const result = named === undefined ? { ...general, connections: reports } : (reports[0] ?? {});
    call.terminal.result(result, [
      ...lines(general),
      ...reports.flatMap((report) => linesOf(report, named !== undefined)),
    ]);
    return reports.every((report) => isHealthy(report, remote !== undefined)) && (general.findings ?? []).length === 0
      ? 0
      : 1;
  },
};

interface Examination {
  /** What concerns all connections; nothing when a running gateway was asked. */
  readonly general: {
    readonly durability?: string;
    readonly warnings?: readonly string[];
    /** What of the mapping files, of PostgreSQL's and Redis' settings, and of connections that were taken out needs mending; absent where one was asked about. */
    readonly findings?: readonly Reason[];
  };
  /** As `GET /api/connections/{id}/capabilities` answers. */
  readonly reports: readonly JsonObject[];
}

async function examineHere(call: CommandCall): Promise<Examination> {
  const config = await loadConfig(textOption(call, 'config'));
  const { startGateway } = await import('../gateway.ts');
  const gateway = await startGateway({
    config,
    logger: openLogger({ ...config, warnings: [] }),
    lanes: false,
    activate: false,
  });
  try {
    const { api } = gateway;
    const reports: JsonObject[] = [];
    for (const id of call.words.length > 0 ? call.words : config.connections.keys()) {
      reports.push(JSON.parse(JSON.stringify(await api.capabilities(id))));
    }
    const findings =
      call.words.length > 0
        ? {}
        : { findings: [...(await examineMapping(config)), ...(await examineServers(api.store, config, call))] };
    return {
      general: {
        durability: api.store.durability,
        warnings: [...config.warnings, ...tokenWarnings(config)],
        ...findings,
      },
      reports,
    };
  } finally {
    await gateway.stop();
  }
}

/** What a start would say of the mapping files, the overlay and the guides: the examination itself works with the version that is active. */
async function examineMapping(config: Config): Promise<readonly Reason[]> {
  const { mappingFiles } = await import('../gateway.ts');
  const { checkMapping } = await import('../lanes/lanes.ts');
  try {
    checkMapping(await mappingFiles(config));
    return [];
  } catch (error) {
    if (!(error instanceof CasebridgeError)) throw error;
    return [error.reason];
  }
}

async function examineServers(
  store: Store,
  { queue, connections }: Config,
  call: CommandCall,
): Promise<readonly Reason[]> {
  const use = { processes: Number(call.options.processes), holdsQueue: queue.url === undefined };
  const { subscriptionsLeft } = await import('../lanes/lanes.ts');
  return [
    ...(await store.findings(use)),
    ...(queue.url === undefined ? [] : await examineQueue(queue.url)),
    ...(await subscriptionsLeft(store, connections.keys())),
  ];
}

async function examineQueue(url: string): Promise<readonly Reason[]> {
  const { examineRedis } = await import('../queue/queue.ts');
  try {
    return await examineRedis(url);
  } catch (error) {
    if (!(error instanceof CasebridgeError)) throw error;
    return [{ code: error.code, text: error.message }];
  }
}

function countOf(text: string): number {
  if (/^[1-9]\d{0,3}$/.test(text)) return Number(text);
  throw new InvalidArgumentError('The number of processes is a whole number from 1 to 9999.');
}

async function askGateway(remote: RemoteGateway, { words }: CommandCall): Promise<Examination> {
  const reports: JsonObject[] = [];
  for (const id of words.length > 0 ? words : await connectionIds(remote)) {
    const report = await remote.get(`/api/connections/${encodeURIComponent(id)}/capabilities`);
    if (isObject(report)) reports.push(report);
  }
  return { general: {}, reports };
}

async function connectionIds(remote: RemoteGateway): Promise<string[]> {
  const page = await remote.get('/api/connections?limit=1000');
  return objectsAt(isObject(page) ? page : undefined, 'items').map(({ id }) => String(id));
}

/**
 * A connection that is switched off was not asked, and is as it should be. A gateway that runs and does nothing there is not well; a configuration that
 * is only looked at is in force nowhere yet.
 */
function isHealthy(report: JsonObject, isRunning: boolean): boolean {
  const { auth } = report;
  if (report.mode === 'off') return true;
  if (isRunning && typeof report.otherConfigurationSince === 'string') return false;
  return report.reachable === true && isObject(auth) && auth.ok === true && objectsAt(report, 'findings').length === 0;
}

function lines({ durability, findings = [], warnings = [] }: Examination['general']): string[] {
  return [
    ...(durability === undefined ? [] : [`Store: ${durability}`]),
    ...findings.map(({ text }) => `  ! ${text}`),
    ...warnings.map((warning) => `Warning: ${warning}`),
  ];
}

/** `inFull`: with what is known of the vendor's servers. */
function linesOf(report: JsonObject, inFull: boolean): string[] {
  const name = `${report.connection} (${report.vendor}, ${report.mode})`;
  const auth = isObject(report.auth) ? report.auth : {};
  if (report.mode === 'off') return ['', `${name}: ${textOf(auth.reason)}`];
  const { wouldWrite } = report;
  const writes = isObject(wouldWrite) ? Object.entries(wouldWrite).map(([kind, count]) => `${count} ${kind}`) : [];
  const least = report.wouldWriteAtLeast === true ? ' at least' : '';
  const reachable = report.reachable === true ? 'reachable' : 'not reachable';
  const signedIn = auth.ok === true ? 'signed in' : 'not signed in';
  const scopes = Array.isArray(report.scopes) ? report.scopes : [];
  const routes = objectsAt(report, 'routes').map(({ recordType, resourceType, declared, granted, route, reason }) =>
    [recordType, resourceType, wordsOf(declared), wordsOf(granted), route, textOf(reason)].map(String),
  );
  const rules = inFull ? objectsAt(report, 'vendorRules') : [];
  return [
    '',
    `${name}: ${reachable}, ${signedIn}`,
    ...objectsAt(report, 'findings').map((finding) => `  ! ${textOf(finding)}`),
    ...otherConfiguration(report.otherConfigurationSince),
    ...basisLine(report.basis),
    ...organizationLine(report),
    ...(scopes.length > 0 ? [`  scopes: ${scopes.join(' ')}`] : []),
    ...aligned([['record type', 'resource', 'declared', 'granted', 'route', 'reason'], ...routes]).map(
      (row) => `  ${row}`,
    ),
    ...(typeof report.provenance === 'string' ? [`  ${report.provenance}`] : []),
    ...unguarded(report.withoutVersions),
    report.mode === 'shadow'
      ? `  in shadow, nothing is written; live it would write${least}: ${writes.join(', ')}`
      : `  would write${least}: ${writes.join(', ')}`,
    ...pollLines(report.polls),
    ...missing(report),
    ...(rules.length > 0 ? [`  servers of the vendor ${report.vendor}:`] : []),
    ...aligned(
      rules.map(({ topic, offered, detail }) => [String(topic), offered === true ? 'yes' : 'no', String(detail)]),
    ).map((row) => `    ${row}`),
  ];
}

function otherConfiguration(since: Json | undefined): string[] {
  if (typeof since !== 'string') return [];
  return [
    `  another configuration of it has been in force since ${since}: until a start with this one, nothing is done there by it`,
  ];
}

function basisLine(basis: Json | undefined): string[] {
  if (basis === 'consent')
    return ['  basis consent: nothing of a client goes there without a consent that names this connection'];
  if (basis !== 'treatment') return [];
  return [
    '  basis treatment: all of a client goes there but what is labelled sensitive and safety plans, which need a consent, and what the client has refused to it by name',
  ];
}

/** Whom a client's consent or refusal is for, nobody can tell there by the record that it names. */
function organizationLine({ connection, withoutOrganization }: JsonObject): string[] {
  if (!Array.isArray(withoutOrganization) || withoutOrganization.length === 0) return [];
  return [
    `  Warning: no organization in ${withoutOrganization.join(', ')} (connections.${connection}.organization, organizationElsewhere): a consent that names it by its record permits nothing there, and a refusal of any organization that no other connection has counts as one of it`,
  ];
}

/** Kinds of which an edit can be lost that no client could see (lanes.md 28). */
function unguarded(types: Json | undefined): string[] {
  if (!Array.isArray(types) || types.length === 0) return [];
  return [
    `  without version tags: ${types.join(', ')}. An edit between our last look, right before a write, and the write is overwritten unseen`,
  ];
}

function missing(report: JsonObject): string[] {
  const rows = objectsAt(report, 'missing').map(({ count, text }) => [String(count), String(text)]);
  return rows.length === 0 ? [] : ['  what stands in the way:', ...aligned(rows).map((row) => `    ${row}`)];
}

/** The letters of create, read, update, delete, search in this order; `-`: none, `?`: not known. */
function wordsOf(interactions: Json | undefined): string {
  if (!Array.isArray(interactions)) return '?';
  const has = (letter: string) => interactions.some((word) => String(word).startsWith(letter));
  const letters = ['c', 'r', 'u', 'd', 's'].filter(has).join('');
  return letters === '' ? '-' : letters;
}

function textOf(reason: Json | undefined): string {
  return isObject(reason) && typeof reason.text === 'string' ? reason.text : '';
}

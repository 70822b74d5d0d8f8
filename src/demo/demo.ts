// Front door of the demo: a case-management agency, a community exchange with its partners and two hospitals, told as a story. An embedded
// gateway and the simulated FHIR servers run as two processes; the demo plays everybody else, by HTTP only.

import { randomBytes } from 'node:crypto';
import { copyFile, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { generateKey, publicKeySet, writeKeyFile } from '../connections/connections.ts';
import { CasebridgeError } from '../errors.ts';
import { caseload, type RecordLine, referralId } from './caseload.ts';
import { countClosed, partnersAnswer } from './chapters/answers.ts';
import { answerHospital, countAdopted } from './chapters/begun-by-hospital.ts';
import { showCapabilities } from './chapters/capabilities.ts';
import { askForConsent } from './chapters/consent.ts';
import { fileDocuments } from './chapters/documents.ts';
import { sendCaseload } from './chapters/intake.ts';
import { loseReply } from './chapters/lost-reply.ts';
import { consoleAddress, showTimeline } from './chapters/operators-view.ts';
import { answerOnPage, countAnswered, leaveOneOpen } from './chapters/partner-page.ts';
import { keepPromises } from './chapters/promises.ts';
import { runEverythingAgain } from './chapters/second-pass.ts';
import { tellWhoIsWho } from './chapters/who-is-who.ts';
import { type ConnectionFigures, figuresOf } from './figures.ts';
import { openFrontDoor } from './front-door.ts';
import { Gateway } from './gateway.ts';
import { guardedConsent } from './guarded.ts';
import { knownBefore } from './known-patients.ts';
import type { Listening } from './listening.ts';
import { denise } from './people.ts';
import { switchOnPhone } from './phone.ts';
import { type PlaceName, placeNames, places } from './places.ts';
import { DemoProblem } from './problem.ts';
import { type Program, startProgram } from './programs.ts';
import { Server } from './server.ts';
import { type Stage, serversOf } from './stage.ts';
import { Story } from './story.ts';

export interface DemoOptions {
  /** Leave both programs running until Ctrl-C. */
  readonly keep: boolean;
  /** Takes the lines of the story. */
  readonly write: (line: string) => void;
  /** Takes what is being waited for; each line replaces the one before. */
  readonly progress: (line: string) => void;
}

/** What the servers' journals and stores, and the gateway's interface, say at the end. */
export interface DemoResult {
  /** Tasks that have ended and say what was done. */
  readonly closedReferrals: number;
  /** Of the two whose clocks run out while one watches. */
  readonly promises: { readonly met: number; readonly breached: number };
  /** Begun by a hospital, taken on by the agency and completed, by the hospital's own Task. */
  readonly adoptedReferrals: number;
  /** Completed by a partner on its page. */
  readonly answeredOnPage: number;
  readonly connections: Readonly<Record<string, ConnectionFigures>>;
  /** Of all servers together. */
  readonly secondRunWrites: number;
  readonly secondRunReads: number;
  /** Records accepted. */
  readonly records: number;
  /** From the start to the end of the story. */
  readonly seconds: number;
}

const tokens = { county: 'demo-county-token', ops: 'demo-ops-token' };
const configuration = fileURLToPath(new URL('casebridge.demo.yaml', import.meta.url));

/**
 * Runs the demo. Nothing of it stays on the machine, but for the logs when it fails.
 * @throws CasebridgeError `demo-failed` with the reason and where the logs are
 */
export async function runDemo({ keep, ...tells }: DemoOptions): Promise<DemoResult> {
  const started = performance.now();
  const folder = await mkdtemp(join(tmpdir(), 'casebridge-demo-'));
  const end = new AbortController();
  const interruption = new DemoProblem('It was interrupted.');
  const interrupt = () => end.abort(interruption);
  for (const name of signals) process.once(name, interrupt);
  const programs: Program[] = [];
  const listening: Listening[] = [];
  try {
    const stage = await prepare(programs, listening, folder, end, tells);
    const result = { ...(await tell(stage)), seconds: secondsSince(started) };
    stage.story.end(`Done in ${result.seconds} seconds.`);
    if (keep) await keepRunning(stage, interruption);
    await stopAll(programs);
    await rm(folder, { recursive: true });
    return result;
  } catch (error) {
    const problem = await problemOf(end.signal.aborted ? end.signal.reason : error, programs);
    await removeAllButLogs(folder);
    throw new CasebridgeError('demo-failed', { problem, folder }, { cause: error });
  } finally {
    for (const name of signals) process.removeListener(name, interrupt);
    for (const one of listening) await one.close();
  }
}

const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

/** Starts both programs, and lets the servers know some people already. */
async function prepare(
  programs: Program[],
  listening: Listening[],
  folder: string,
  end: AbortController,
  { write, progress }: Omit<DemoOptions, 'keep'>,
): Promise<Stage> {
  const { signal } = end;
  const story = new Story(write);
  story.chapter('Two programs start: three FHIR servers (simulated), and Casebridge');
  const onEnd = (problem: DemoProblem) => end.abort(problem);
  progress('Starting the servers');
  const sandbox = await startProgram({
    name: 'servers',
    arguments: ['sandbox', '--port', '0', '--json'],
    folder,
    onEnd,
    signal,
  });
  programs.push(sandbox);
  const serverOf = (name: PlaceName) => new Server(sandbox.url, places[name], signal);
  const servers = {
    exchange: serverOf('exchange'),
    larchValley: serverOf('larchValley'),
    stBrigid: serverOf('stBrigid'),
  };
  for (const name of placeNames) {
    await servers[name].seed(knownBefore[name]);
    await signUp(servers[name], folder);
  }
  await servers.larchValley.findTasksOfAll();
  const phone = await switchOnPhone();
  listening.push(phone);
  const frontDoor = await openFrontDoor();
  listening.push(frontDoor);
  const config = join(folder, 'casebridge.yaml');
  const envFile = join(folder, 'demo.env');
  await copyFile(configuration, config);
  const environment = {
    DEMO_EXCHANGE_URL: servers.exchange.fhirUrl,
    DEMO_LARCH_VALLEY_URL: servers.larchValley.fhirUrl,
    DEMO_ST_BRIGID_URL: servers.stBrigid.fhirUrl,
    DEMO_COUNTY_TOKEN: tokens.county,
    DEMO_OPS_TOKEN: tokens.ops,
    DEMO_PUBLIC_URL: frontDoor.url,
    DEMO_SMS_URL: phone.url,
    DEMO_SMS_SECRET: `whsec_${randomBytes(32).toString('base64')}`,
  };
  const lines = Object.entries(environment).map(([name, value]) => `${name}=${value}\n`);
  await writeFile(envFile, lines.join(''), { mode: 0o600 });
  progress('Starting Casebridge, which makes its store');
  const casebridge = await startProgram({
    name: 'gateway',
    arguments: ['serve', '--config', config, '--json'],
    envFile,
    folder,
    onEnd,
    signal,
  });
  programs.push(casebridge);
  frontDoor.leadTo(casebridge.url);
  story.table([
    ...placeNames.map((name) => [places[name].name, places[name].like, servers[name].fhirUrl]),
    ['Casebridge', '', casebridge.url],
  ]);
  return { ...servers, gateway: new Gateway(casebridge.url, tokens, { signal, progress }), phone, story, signal };
}

/** Makes the key with which the gateway signs in there, and registers its public half. */
async function signUp(server: Server, folder: string): Promise<void> {
  const { client, connection } = server.place;
  if (client === undefined) return;
  const key = await generateKey();
  await writeKeyFile(join(folder, `${connection}.jwk`), key);
  await server.register(client, await publicKeySet([key]));
}

async function tell(stage: Stage): Promise<Omit<DemoResult, 'seconds'>> {
  const referral = findLine(referralId(denise, { domain: 'food' }));
  const consent = findLine(guardedConsent.id);
  await showCapabilities(stage);
  const sent = await sendCaseload(stage, [referral, consent]);
  await tellWhoIsWho(stage);
  await fileDocuments(stage);
  const agreed = await askForConsent(stage, consent);
  const resent = await loseReply(stage, referral);
  await partnersAnswer(stage);
  const promises = await keepPromises(stage);
  const begun = await answerHospital(stage);
  const onPage = await answerOnPage(stage);
  const secondPass = await runEverythingAgain(stage);
  await showTimeline(stage);
  return {
    closedReferrals: await countClosed(stage.exchange),
    promises: { met: promises.met, breached: promises.breached },
    adoptedReferrals: await countAdopted(stage.larchValley),
    answeredOnPage: await countAnswered(stage),
    connections: await allFigures(stage),
    secondRunWrites: secondPass.writes,
    secondRunReads: secondPass.reads,
    records: sent + agreed + resent + promises.records + begun + onPage,
  };
}

async function allFigures(stage: Stage): Promise<DemoResult['connections']> {
  const figures: Record<string, ConnectionFigures> = {};
  for (const server of serversOf(stage)) {
    figures[server.place.connection] = await figuresOf(server, stage.gateway);
  }
  return figures;
}

function findLine(id: string): RecordLine {
  const line = caseload().find(({ record }) => record.id === id);
  if (line === undefined) throw new Error(`the caseload holds no ${id}`);
  return line;
}

/** @throws what ended them, where that was no Ctrl-C */
async function keepRunning(stage: Stage, interruption: DemoProblem): Promise<void> {
  const { gateway, exchange, story, signal } = stage;
  story.end('Both keep running until Ctrl-C. Try:');
  story.table([
    [`curl -H 'Authorization: Bearer ${tokens.county}' '${gateway.url}/api/changes'`],
    [`curl -H 'Authorization: Bearer ${tokens.ops}' '${gateway.url}/api/decisions'`],
    [`curl '${exchange.fhirUrl}/Task?status=completed'`],
  ]);
  story.say(`The console, with the token ${tokens.ops}: ${consoleAddress(stage)}`);
  await leaveOneOpen(stage);
  await new Promise<void>((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener('abort', () => resolve());
  });
  if (signal.reason !== interruption) throw signal.reason;
}

/** @throws DemoProblem when one of them had to be killed; the others are stopped all the same */
async function stopAll(programs: readonly Program[]): Promise<void> {
  const problems: string[] = [];
  // The gateway first: it may be asking the servers.
  for (const program of programs.toReversed()) {
    await program.stop().catch((error: unknown) => problems.push(textOf(error)));
  }
  if (problems.length > 0) throw new DemoProblem(problems.join(' '));
}

/** Stops what still runs; the reason of the failure as one text, with what went wrong while stopping. */
async function problemOf(error: unknown, programs: readonly Program[]): Promise<string> {
  const first = textOf(error);
  try {
    await stopAll(programs);
    return first;
  } catch (other) {
    return first === textOf(other) ? first : `${first} ${textOf(other)}`;
  }
}

function textOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

async function removeAllButLogs(folder: string): Promise<void> {
  const names = await readdir(folder);
  const others = names.filter((name) => !name.endsWith('.log'));
  for (const name of others) await rm(join(folder, name), { recursive: true });
}

function secondsSince(started: number): number {
  return Math.round((performance.now() - started) / 100) / 10;
}

// `replay`: brings servers to what the records say once more, lane by lane, with what became of each; here, or in a running gateway.

import { setTimeout as sleep } from 'node:timers/promises';
import { loadConfig } from '../config.ts';
import { CasebridgeError } from '../errors.ts';
import {
  FieldsRefused,
  type GatewayApi,
  listReplayLanes,
  type ReplayView,
  readReplayScope,
  replayView,
} from '../http/http.ts';
import { isObject, type Json, type JsonObject } from '../json.ts';
import { type CommandCall, type CommandLine, flag, textOption } from './command.ts';
import { openLogger } from './process.ts';
import { type RemoteGateway, remoteGateway } from './remote-gateway.ts';

export const replay: CommandLine = {
  name: 'replay',

  describe(command) {
    command
      .description('Bring servers to what the records say once more. Without an option that narrows it, all lanes.')
      .option('--connection <name>', 'lanes of this connection only')
      .option('--case <source/id>', 'the lanes of this case and of its client only')
      .option('--since <instant>', 'lanes of which a record was accepted from then on, such as 2026-03-01T00:00:00Z')
      .option('--until <instant>', 'and before then')
      .option('--mapping <version>', 'lanes that were last brought under another mapping than this, the active one')
      .option('--dry-run', 'only say what would be done, element by element')
      .option('--yes', 'with --mapping: send what the dry run before it has shown')
      .option('--url <url>', 'do it in a running gateway')
      .option('--token <reference>', "an operator's token for --url, as env:NAME or file:PATH");
  },

  async run(call) {
    const asked = askedBy(call);
    const remote = await remoteGateway(call);
    return remote === undefined ? replayHere(call, asked) : replayAll(call, asked, atGateway(remote));
  },
};

/** Where the job lives. */
interface Jobs {
  start(asked: JsonObject): Promise<number>;
  look(id: number): Promise<ReplayView>;
  /** The next lanes of a dry run, with their plans. */
  lanes(id: number, after: string | null): Promise<{ items: readonly Json[]; next: string | null }>;
}

const lookEveryMs = 250;
/** More lines than this are not read by a person; `--json` and the API have them all. */
const mostShown = 50;

async function replayAll(call: CommandCall, asked: JsonObject, jobs: Jobs): Promise<number> {
  const isDry = flag(call, 'dryRun');
  // A new mapping may change very much: it is shown first, and sent when that has been said.
  if (asked.mapping !== undefined && !isDry) {
    const first = await runJob(call, jobs, { ...asked, dryRun: true });
    if (!flag(call, 'yes')) {
      await showPlans(call, jobs, first);
      call.terminal.result(first, [...summary(first), 'Nothing was sent. Say --yes to send it.']);
      return 0;
    }
    for (const line of summary(first)) call.terminal.say(line);
  }
  const view = await runJob(call, jobs, { ...asked, dryRun: isDry });
  if (isDry) await showPlans(call, jobs, view);
  call.terminal.result(view, summary(view));
  return view.refused > 0 ? 1 : 0;
}

async function runJob({ terminal }: CommandCall, jobs: Jobs, asked: JsonObject): Promise<ReplayView> {
  const id = await jobs.start(asked);
  for (;;) {
    const view = await jobs.look(id);
    if (view.state !== 'running') return view;
    const { asked: all, done, skipped, refused, left } = view;
    terminal.progress(`${all - left} of ${all} lanes: ${done} done, ${skipped} skipped, ${refused} refused`);
    await sleep(lookEveryMs);
  }
}

/** What would change, as far as a person reads. */
async function showPlans({ terminal }: CommandCall, jobs: Jobs, { id }: ReplayView): Promise<void> {
  let shown = 0;
  for (let after: string | null = null; shown < mostShown; ) {
    const { items, next }: Awaited<ReturnType<Jobs['lanes']>> = await jobs.lanes(id, after);
    const lines = items.flatMap(planLines);
    for (const line of lines.slice(0, mostShown - shown)) terminal.say(line);
    shown += lines.length;
    if (next === null) break;
    after = next;
  }
  if (shown >= mostShown) terminal.say(`… and more: GET /api/replays/${id}/lanes lists all of it.`);
}

function planLines(item: Json): string[] {
  const { connection, subject, operations } = isObject(item) ? item : {};
  return (Array.isArray(operations) ? operations : [])
    .filter(isObject)
    .flatMap(({ kind, resource, diff }) => [
      `${connection} ${subject}: ${kind} ${resource}`,
      ...(Array.isArray(diff) ? diff : [])
        .filter(isObject)
        .map(({ element, before, after }) => `    ${element}: ${JSON.stringify(before)} -> ${JSON.stringify(after)}`),
    ]);
}

function summary({ asked, done, skipped, refused, writes, reasons }: ReplayView): string[] {
  return [
    `${asked} lanes: ${done} done (${writes} writes), ${skipped} skipped, ${refused} refused`,
    ...reasons.map(({ outcome, count, text }) => `  ${count} ${outcome}: ${text}`),
  ];
}

/** Opens the store itself and works on its lanes until the job is done; where nothing may be sent yet, on no lane at all. */
async function replayHere(call: CommandCall, asked: JsonObject): Promise<number> {
  const config = await loadConfig(textOption(call, 'config'));
  const { startGateway } = await import('../gateway.ts');
  const lanes = !flag(call, 'dryRun') && (asked.mapping === undefined || flag(call, 'yes'));
  const gateway = await startGateway({ config, logger: openLogger(config), lanes, activate: false });
  const planned = lanes ? async () => {} : () => gateway.workDryRuns();
  try {
    return await replayAll(call, asked, inThisProcess(gateway.api, planned));
  } finally {
    await gateway.stop();
  }
}

function inThisProcess(api: GatewayApi, planned: () => Promise<void>): Jobs {
  return {
    start: (asked) => api.startReplay({ ...readReplayScope(asked), by: 'casebridge replay' }),
    look: async (id) => {
      await planned();
      return replayView(api.store, id);
    },
    lanes: (id, after) =>
      listReplayLanes(api.store, id, { limit: mostShown, ...(after !== null && { after }) }).then(asJson),
  };
}

function asJson(page: object): ReturnType<typeof pageIn> {
  const value: Json = JSON.parse(JSON.stringify(page));
  return pageIn(value);
}

function pageIn(value: Json): { items: readonly Json[]; next: string | null } {
  const { items, next } = isObject(value) ? value : {};
  return { items: Array.isArray(items) ? items : [], next: typeof next === 'string' ? next : null };
}

function atGateway(remote: RemoteGateway): Jobs {
  return {
    start: async (asked) => viewIn(await remote.post('/api/replays', asked)).id,
    look: async (id) => viewIn(await remote.get(`/api/replays/${id}`)),
    lanes: async (id, after) =>
      pageIn(
        await remote.get(
          `/api/replays/${id}/lanes?limit=${mostShown}${after === null ? '' : `&after=${encodeURIComponent(after)}`}`,
        ),
      ),
  };
}

/** A gateway of this version; what it lacks counts as nothing. */
function viewIn(value: Json): ReplayView {
  const view = isObject(value) ? value : {};
  const count = (name: string): number => (typeof view[name] === 'number' ? view[name] : 0);
  const reasons = (Array.isArray(view.reasons) ? view.reasons : []).filter(isObject);
  return {
    ...view,
    id: count('id'),
    state: String(view.state),
    asked: count('asked'),
    done: count('done'),
    skipped: count('skipped'),
    refused: count('refused'),
    left: count('left'),
    writes: count('writes'),
    reasons: reasons.map(({ outcome, code, text, count: times }) => ({
      outcome: String(outcome),
      code: String(code),
      text: String(text),
      count: Number(times),
    })),
  };
}

/** @throws CasebridgeError `command-line-invalid` */
function askedBy(call: CommandCall): JsonObject {
  const asked: JsonObject = {};
  for (const name of ['connection', 'since', 'until', 'mapping']) {
    const text = textOption(call, name);
    if (text !== undefined) asked[name] = text;
  }
  const named = textOption(call, 'case');
  if (named !== undefined) {
    const [source = '', id = '', ...rest] = named.split('/');
    if (source === '' || id === '' || rest.length > 0)
      throw new CasebridgeError('command-line-invalid', { problem: '--case must be <source>/<id of the case>.' });
    asked.case = { source, id };
  }
  checkScope(asked);
  return asked;
}

function checkScope(asked: JsonObject): void {
  try {
    readReplayScope(asked);
  } catch (error) {
    if (!(error instanceof FieldsRefused)) throw error;
    throw new CasebridgeError('command-line-invalid', {
      problem: error.errors.map(({ message }) => message.replace(/^"(\w+)"/, '--$1')).join(' '),
    });
  }
}

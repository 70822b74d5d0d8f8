// `import`: records from files into the store, by the same acceptance as the API, or through the API of a running gateway.

import { Readable } from 'node:stream';
import { loadConfig } from '../config.ts';
import { CasebridgeError } from '../errors.ts';
import { emptyCounts, type IntakeCounts, takeIn } from '../http/http.ts';
import { isObject, type Json } from '../json.ts';
import { type CommandCall, type CommandLine, configuredSource, textOption } from './command.ts';
import { openLogger } from './process.ts';
import { bytesOf, checkReadable, type RefusedLine, refusedText } from './record-files.ts';
import { type RemoteGateway, remoteGateway } from './remote-gateway.ts';

export const importFiles: CommandLine = {
  name: 'import',

  describe(command) {
    command
      .description('Take in records from files: NDJSON or a JSON array of {"type": …, "record": …}.')
      .argument('<file...>', 'files, in order')
      .requiredOption('--source <name>', 'whose records these are')
      .option('--url <url>', 'do it through the API of a running gateway')
      .option('--token <reference>', "the source's token for --url, as env:NAME or file:PATH");
  },

  async run(call) {
    await checkReadable(call.words);
    const remote = await remoteGateway(call);
    if (remote === undefined) return importHere(call);
    await remote.checkSource(sourceOf(call));
    return importAll(call, (file) => sent(remote, file));
  },
};

/** What one line of a file became, or that all of them were answered. */
type Told = 'done' | (RefusedLine & { readonly outcome: keyof IntakeCounts });
type Answers = AsyncIterable<Told>;

async function importHere(call: CommandCall): Promise<number> {
  const config = await loadConfig(textOption(call, 'config'));
  const source = configuredSource(config.sources, sourceOf(call));
  for (const warning of config.warnings) call.terminal.warn(`Warning: ${warning}`);
  const { startGateway } = await import('../gateway.ts');
  const logger = openLogger({ ...config, warnings: [] });
  const gateway = await startGateway({ config, logger, lanes: false, activate: false });
  try {
    return await importAll(call, async function* (file) {
      const accept = (items: Parameters<typeof gateway.api.accept>[1]) => gateway.api.accept(source.id, items);
      const schemas = () => gateway.api.schemas();
      for await (const answers of takeIn(bytesOf(file), { timeZone: source.timeZone, schemas, accept })) {
        for (const { errors = [], ...answer } of answers)
          yield { ...answer, messages: errors.map(({ message }) => message) };
      }
      yield 'done';
    });
  } finally {
    await gateway.stop();
  }
}

async function* sent(remote: RemoteGateway, file: string): Answers {
  const chunks = bytesOf(file)[Symbol.asyncIterator]();
  const first = await chunks.next();
  // The API takes no empty body, and there is nothing to say.
  if (first.done === true) yield 'done';
  else for await (const line of remote.postRecords(Readable.from(joined(first.value, chunks)))) yield toldBy(line);
}

async function* joined(first: Uint8Array, others: AsyncIterator<Uint8Array>): AsyncGenerator<Uint8Array> {
  yield first;
  yield* { [Symbol.asyncIterator]: () => others };
}

/** One line of the gateway's answer. */
function toldBy(answer: Json): Told {
  const { done, line, element, type, id, outcome, errors } = isObject(answer) ? answer : {};
  if (done === true) return 'done';
  const messages = (Array.isArray(errors) ? errors : []).flatMap((error) =>
    isObject(error) && typeof error.message === 'string' ? [error.message] : [],
  );
  return {
    outcome: outcomes.find((known) => known === outcome) ?? 'refused',
    messages,
    ...(typeof line === 'number' && { line }),
    ...(typeof element === 'number' && { element }),
    ...(typeof type === 'string' && { type }),
    ...(typeof id === 'string' && { id }),
  };
}

const outcomes = ['accepted', 'unchanged', 'stale', 'refused'] as const;

/** @throws CasebridgeError of the first file: then the import has not begun */
async function importAll(call: CommandCall, read: (file: string) => Answers): Promise<number> {
  const { terminal } = call;
  const total = { ...emptyCounts(), cut: 0 };
  for (const [index, file] of call.words.entries()) {
    const hindrance = await importOne(file).catch((error: unknown) => {
      if (!(error instanceof CasebridgeError) || index === 0) throw error;
      return error.message;
    });
    if (hindrance === undefined) continue;
    total.cut += 1;
    terminal.warn(`${file}: ${hindrance} Import the file again: what was accepted is answered as unchanged.`);
  }
  const { accepted, unchanged, stale, refused, cut } = total;
  const cutFiles = cut === 0 ? '' : `; ${cut} of ${call.words.length} files not taken whole`;
  terminal.result({ files: call.words.length, ...total }, [
    `${accepted} accepted, ${unchanged} unchanged, ${stale} stale, ${refused} refused${cutFiles}`,
  ]);
  return refused + cut > 0 ? 1 : 0;

  /** Answers why the file was not taken whole; undefined: it was. */
  async function importOne(file: string): Promise<string | undefined> {
    let isDone = false;
    for await (const answer of read(file)) {
      if (answer === 'done') {
        isDone = true;
        continue;
      }
      total[answer.outcome] += 1;
      if (answer.outcome === 'refused') terminal.warn(refusedText(file, answer));
      terminal.progress(`${file}: ${sumOf(total)} records`);
    }
    return isDone ? undefined : 'the answer was cut off.';
  }
}

function sourceOf(call: CommandCall): string {
  return textOption(call, 'source') ?? '';
}

function sumOf({ accepted, unchanged, stale, refused }: IntakeCounts): string {
  return (accepted + unchanged + stale + refused).toLocaleString('en');
}

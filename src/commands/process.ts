// What long-running commands share: their log, their port, and waiting for the signal that ends them.

import { type Logger, pino } from 'pino';
import { type Config, isUnderNpm } from '../config.ts';
import { errorCode } from '../error-code.ts';
import { CasebridgeError, reason } from '../errors.ts';
import { factsOf } from '../fault.ts';
import type { Gateway } from '../gateway.ts';

/** The log, on standard error, one JSON object a line. Secrets are never passed to it; the paths below are the second lock. */
export function openLogger(config: Config): Logger {
  const redact = ['token', 'password', 'authorization', '*.token', '*.password', '*.authorization'];
  const logger = pino({ level: config.log.level, base: { pid: process.pid }, redact }, pino.destination(2));
  for (const warning of config.warnings) logger.warn(warning);
  return logger;
}

/** Says once a start what the mappings leave undone of the profiles that they name. */
export function logMappings(logger: Pick<Logger, 'warn'>, { mappingWarnings }: Pick<Gateway, 'mappingWarnings'>): void {
  for (const { path, line, message } of mappingWarnings) logger.warn({ at: `${path}:${line}` }, message);
}

/** On SIGHUP takes the mapping files as they are now, one reading at a time. At a terminal the signal says that it was closed, and ends the process. */
export function reloadOnSignal(gateway: Pick<Gateway, 'reloadMappings'>, logger: Logger): void {
  if (process.stdin.isTTY) return;
  let reading = Promise.resolve();
  process.on('SIGHUP', () => {
    reading = reading.then(() => reload(gateway, logger));
  });
}

async function reload(gateway: Pick<Gateway, 'reloadMappings'>, logger: Logger): Promise<void> {
  try {
    const { version, warnings } = await gateway.reloadMappings();
    logger.info({ mapping: version }, 'the mappings that are there now are active');
    logMappings(logger, { mappingWarnings: warnings });
  } catch (error) {
    logger.error(factsOf(error), 'the mappings that are there now are not used; the version before stays active');
  }
}

/** Resolves with the first SIGTERM or SIGINT; another one more than a second later ends the process at once. */
export function untilStopped(): Promise<NodeJS.Signals> {
  const { promise, resolve } = Promise.withResolvers<NodeJS.Signals>();
  const stop = (signal: NodeJS.Signals): void => {
    resolve(signal);
    // Ctrl-C may come twice under `npm run`: from the terminal, and from npm, which passes it on.
    setTimeout(() => process.off('SIGTERM', stop).off('SIGINT', stop), 1000).unref();
  };
  process.on('SIGTERM', stop).on('SIGINT', stop);
  if (isUnderNpm()) whenOrphaned(() => resolve('SIGHUP'));
  return promise;
}

/**
 * What a start comes to. Told to stop before, the process ends at once, which is as safe as a crash: a start changes the store in whole steps, and one of
 * them may take long.
 */
export async function unlessStopped<T>(
  start: Promise<T>,
  stopped: Promise<NodeJS.Signals>,
  logger: Pick<Logger, 'info'>,
): Promise<T> {
  let isOver = false;
  void stopped.then((signal) => {
    if (isOver) return;
    logger.info({ signal }, 'stopped before it had started');
    process.exit(0);
  });
  return start.finally(() => {
    isOver = true;
  });
}

/** Requests get 10 s and runs another 10; beyond that only something hangs, such as a database that is frozen. All has ended within 30 s (reliability G19). */
export const stopWithinMs = 28_000;

/** Stops politely. What does not end in time is left where it is, and the process ends with code 1, which is as safe as a crash. */
export async function stopInTime(
  stop: () => Promise<void>,
  logger: Pick<Logger, 'error'>,
  withinMs = stopWithinMs,
): Promise<void> {
  const giveUp = setTimeout(() => {
    const why = reason('stop-unfinished', { seconds: withinMs / 1000 });
    logger.error({ code: why.code }, why.text);
    process.exit(1);
  }, withinMs);
  await stop().finally(() => clearTimeout(giveUp));
}

/** npm passes SIGTERM on to the shell between us only; that one dies, and we would stay behind with the port and the store. */
function whenOrphaned(told: () => void): void {
  const parent = process.ppid;
  const watch = setInterval(() => {
    if (process.ppid === parent) return;
    clearInterval(watch);
    told();
  }, 250).unref();
}

/** Tells why a port cannot be listened on. @throws CasebridgeError `port-taken`, `listen-failed`; other errors as they are */
export function toldListening({ port, host }: { port: number; host?: string }): (error: unknown) => never {
  return (error) => {
    const code = errorCode(error);
    if (code === undefined) throw error;
    if (code === 'EADDRINUSE') throw new CasebridgeError('port-taken', { port }, { cause: error });
    const where = host === undefined ? `port ${port}` : `port ${port} of ${host}`;
    throw new CasebridgeError('listen-failed', { where, code }, { cause: error });
  };
}

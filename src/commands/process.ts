// What long-running commands share: their log, and waiting for the signal that ends them.

import { type Logger, pino } from 'pino';
import type { Config } from '../config.ts';

/** The log, on standard error, one JSON object a line. Secrets are never passed to it; the paths below are the second lock. */
export function openLogger(config: Config): Logger {
  const redact = ['token', 'password', 'authorization', '*.token', '*.password', '*.authorization'];
  const logger = pino({ level: config.log.level, base: { pid: process.pid }, redact }, pino.destination(2));
  for (const warning of config.warnings) logger.warn(warning);
  return logger;
}

/** Resolves with the first SIGTERM or SIGINT; a second one ends the process at once. */
export function untilStopped(): Promise<NodeJS.Signals> {
  const { promise, resolve } = Promise.withResolvers<NodeJS.Signals>();
  process.once('SIGTERM', resolve);
  process.once('SIGINT', resolve);
  return promise;
}

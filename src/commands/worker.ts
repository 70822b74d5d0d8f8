// `worker`: one more process that works on lanes. It takes no requests.

import { loadConfig } from '../config.ts';
import { CasebridgeError } from '../errors.ts';
import { type CommandLine, textOption } from './command.ts';
import { logMappings, openLogger, stopInTime, unlessStopped, untilStopped } from './process.ts';

export const worker: CommandLine = {
  name: 'worker',

  describe(command) {
    command.description('Work on lanes beside `serve`, on the same PostgreSQL, until stopped.');
  },

  async run(call) {
    const config = await loadConfig(textOption(call, 'config'));
    if (config.store.url === undefined) throw new CasebridgeError('worker-needs-server');
    const logger = openLogger(config);
    const { startGateway } = await import('../gateway.ts');
    const stopped = untilStopped();
    const starting = startGateway({ config, logger, lanes: true, activate: false });
    const gateway = await unlessStopped(starting, stopped, logger);
    call.terminal.result({ working: true }, ['Casebridge works on lanes.']);
    logMappings(logger, gateway);
    logger.info({ signal: await stopped }, 'stopping');
    await stopInTime(() => gateway.stop(), logger);
    return 0;
  },
};

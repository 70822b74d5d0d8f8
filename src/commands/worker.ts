// `worker`: one more process that works on lanes. It takes no requests, but those of monitors where it is given a port.

import { loadConfig } from '../config.ts';
import { CasebridgeError } from '../errors.ts';
import { type CommandLine, portOf, textOption } from './command.ts';
import { logMappings, openLogger, stopInTime, toldListening, unlessStopped, untilStopped } from './process.ts';

export const worker: CommandLine = {
  name: 'worker',

  describe(command) {
    command
      .description('Work on lanes beside `serve`, on the same PostgreSQL, until stopped.')
      .option('--port <port>', 'answer /health/live, /health/ready and /metrics there; 0 takes any free port', portOf);
  },

  async run(call) {
    const config = await loadConfig(textOption(call, 'config'));
    if (config.store.url === undefined) throw new CasebridgeError('worker-needs-server');
    const logger = openLogger(config);
    const { startGateway } = await import('../gateway.ts');
    const { buildMonitorApp, listen } = await import('../http/http.ts');
    const stopped = untilStopped();
    const starting = startGateway({ config, logger, lanes: true, activate: false });
    const gateway = await unlessStopped(starting, stopped, logger);
    let monitors: Awaited<ReturnType<typeof listen>> | undefined;
    try {
      if (call.options.port !== undefined) {
        const address = { ...config.server, port: Number(call.options.port) };
        monitors = await listen(buildMonitorApp(gateway.api), address).catch(toldListening(address));
      }
      const where = monitors && { url: monitors.url };
      call.terminal.result({ working: true, ...where }, [
        'Casebridge works on lanes.',
        ...(where ? [`Its health and metrics are at ${where.url}`] : []),
      ]);
      logMappings(logger, gateway);
      logger.info({ signal: await stopped }, 'stopping');
    } finally {
      await stopInTime(async () => {
        await monitors?.close();
        await gateway.stop();
      }, logger);
    }
    return 0;
  },
};

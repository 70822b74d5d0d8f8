// `serve`: the gateway with its HTTP interface, until it is stopped.

import { loadConfig, tokenWarnings } from '../config.ts';
import { type CommandLine, textOption } from './command.ts';
import {
  logMappings,
  openLogger,
  reloadOnSignal,
  stopInTime,
  toldListening,
  unlessStopped,
  untilStopped,
} from './process.ts';

export const serve: CommandLine = {
  name: 'serve',

  describe(command) {
    command
      .description('Serve the API and work on lanes until stopped.')
      .option('--no-lanes', 'only serve the API; workers do the rest');
  },

  async run(call) {
    const config = await loadConfig(textOption(call, 'config'));
    const logger = openLogger(config);
    const { startGateway } = await import('../gateway.ts');
    const { buildApp, listen } = await import('../http/http.ts');
    const stopped = untilStopped();
    const starting = startGateway({ config, logger, lanes: call.options.lanes !== false });
    const gateway = await unlessStopped(starting, stopped, logger);
    let server: Awaited<ReturnType<typeof listen>> | undefined;
    try {
      server = await listen(buildApp(gateway.api), config.server).catch(toldListening(config.server));
      call.terminal.result({ url: server.url }, [`Casebridge listens on ${server.url}`]);
      logger.info({ url: server.url, store: gateway.api.store.kind }, 'listening');
      for (const warning of tokenWarnings(config)) logger.warn(warning);
      logMappings(logger, gateway);
      reloadOnSignal(gateway, logger);
      logger.info({ signal: await stopped }, 'stopping');
    } finally {
      await stopInTime(async () => {
        await server?.close();
        await gateway.stop();
      }, logger);
    }
    return 0;
  },
};

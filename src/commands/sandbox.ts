// `sandbox`: the simulated FHIR servers, for anyone who wants to test against them.

import { type CommandLine, noConfiguration, portOf, textOption } from './command.ts';
import { toldListening, untilStopped } from './process.ts';

export const sandbox: CommandLine = {
  name: 'sandbox',
  configuration: noConfiguration,

  describe(command) {
    command
      .description('Serve the simulated FHIR servers until stopped.')
      .option('--port <port>', 'port to listen on; 0 takes any free one', portOf, 8090)
      .option('--host <address>', 'address to listen on', '127.0.0.1');
  },

  async run(call) {
    const port = Number(call.options.port);
    const { startSandbox } = await import('../sandbox/sandbox.ts');
    const stopped = untilStopped();
    const host = textOption(call, 'host');
    const { url, fhirBases, stop } = await startSandbox({ port, host }).catch(toldListening({ port, host }));
    call.terminal.result({ url, fhirBases }, [
      `The sandbox listens on ${url}`,
      'FHIR R4 base URLs:',
      ...Object.entries(fhirBases).map(([name, base]) => `  ${name.padEnd(9)} ${base}`),
      `The servers of vendors need a token: register a client at ${url}/_control/{server}/clients`,
    ]);
    await stopped;
    await stop();
    return 0;
  },
};

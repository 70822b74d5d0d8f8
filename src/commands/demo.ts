// `demo`: the story of a few referrals, told on the terminal.

import { CasebridgeError } from '../errors.ts';
import { type CommandLine, flag, noConfiguration } from './command.ts';

export const demo: CommandLine = {
  name: 'demo',
  configuration: noConfiguration,

  describe(command) {
    command
      .description(
        'Show in a minute what Casebridge does: an invented caseload, three simulated FHIR servers, a story.',
      )
      .option('--keep', 'leave everything running and say how to try it');
  },

  async run(call) {
    const { terminal } = call;
    const { runDemo } = await import('../demo/demo.ts');
    try {
      const result = await runDemo({
        keep: flag(call, 'keep'),
        write: (line) => terminal.say(line),
        progress: (line) => terminal.progress(line),
      });
      terminal.result(result, []);
      return 0;
    } catch (error) {
      if (!(error instanceof CasebridgeError) || error.code !== 'demo-failed') throw error;
      terminal.warn(error.message);
      if (terminal.json) terminal.result({ error: error.reason }, []);
      return 1;
    }
  },
};

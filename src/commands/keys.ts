// `keys`: a new key pair for SMART backend services.

import { Option } from 'commander';
import { generateKey, publicKeySet, signingAlgorithms, writeKeyFile } from '../connections/connections.ts';
import { errorCode } from '../error-code.ts';
import { CasebridgeError } from '../errors.ts';
import { type CommandLine, noConfiguration, textOption } from './command.ts';

export const keys: CommandLine = {
  name: 'keys',
  configuration: noConfiguration,

  describe(command) {
    command
      .description('Make a key pair: the private key goes to a file, the public one is shown.')
      .option('--out <file>', 'file for the private key; an existing one is never overwritten', 'key.jwk')
      .addOption(new Option('--alg <algorithm>', 'what to sign with').choices(signingAlgorithms).default('ES384'));
  },

  async run(call) {
    const file = textOption(call, 'out') ?? 'key.jwk';
    const algorithm = signingAlgorithms.find((name) => name === call.options.alg);
    const key = await generateKey(algorithm);
    await writeKeyFile(file, key).catch(toldWriting(file));
    const jwks = await publicKeySet([key]);
    call.terminal.result({ file, kid: key.kid, alg: key.alg, jwks }, [
      `The private key is in ${file}. Name it in the configuration: auth: { type: smart-backend, key: file:${file}, … }`,
      'The public key, for the server. Casebridge serves it at /.well-known/jwks.json too:',
      JSON.stringify(jwks, undefined, 2),
      `To replace a key that is in use, name this one in otherKeys: [file:${file}] for two days before it becomes key.`,
    ]);
    return 0;
  },
};

function toldWriting(file: string): (error: unknown) => never {
  return (error) => {
    const code = errorCode(error);
    if (code === undefined || error instanceof CasebridgeError) throw error;
    throw new CasebridgeError('file-unwritable', { file, code }, { cause: error });
  };
}

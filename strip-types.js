// Jest transform: Node's own type stripping, so tests run exactly what `node src/main.ts` runs.
import { stripTypeScriptTypes } from 'node:module';

export default { process: (source) => ({ code: stripTypeScriptTypes(source) }) };

// Jest test runner: Jest's own (jest-circus), but Node loads the test files and all that they import, as it does for `node src/main.ts`, and our
// modules once for each worker, not for each test file again in a realm of its own. So a module keeps what it holds from one test file to the next:
// what a file needs anew it makes in its hooks, and no module but a test file calls a hook while it is loaded.

import { createRequire, registerHooks } from 'node:module';
import { pathToFileURL } from 'node:url';
import fc from 'fast-check';
import circus from 'jest-circus/runner';
import { beginFile } from './test/support/globals.ts';

// A property tries the same values each time, unless all are asked for: a run of another change does not stop at what this one did not touch.
if (process.env.CASEBRIDGE_TEST_COUNTS !== 'full') fc.configureGlobal({ seed: 1 });

const globals = new URL('test/support/globals.ts', import.meta.url).href;
registerHooks({
  resolve: (specifier, context, next) =>
    specifier === '@jest/globals' ? { url: globals, shortCircuit: true } : next(specifier, context),
});

const require = createRequire(import.meta.url);
const runs = new Map();

const native = {
  // Its state is what it knows of the tests of one file.
  requireInternalModule(path) {
    delete require.cache[path];
    delete globalThis[Symbol.for('EVENT_HANDLERS')];
    return require(path);
  },
  setGlobalsForRuntime: beginFile,
  unstable_shouldLoadAsEsm: () => true,
  unstable_importModule(path) {
    const run = runs.get(path) ?? 0;
    runs.set(path, run + 1);
    // Under --watch a file has several runs in one process.
    return import(`${pathToFileURL(path)}${run === 0 ? '' : `?${run}`}`);
  },
};

export default (globalConfig, config, environment, runtime, path, sendMessageToJest) => {
  const ours = new Proxy(runtime, { get: (target, name) => native[name] ?? bound(target, name) });
  return circus.default(globalConfig, config, environment, ours, path, sendMessageToJest);
};

function bound(target, name) {
  const value = target[name];
  return typeof value === 'function' ? value.bind(target) : value;
}

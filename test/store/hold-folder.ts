// Opens the embedded store in a folder and holds it until it is killed. Each line from stdin becomes a committed row; its
// echo is the acknowledgement. For the tests of one process at a time.

import { createInterface } from 'node:readline';
import { CasebridgeError } from '../../src/errors.ts';
import { openStore } from '../../src/store/store.ts';

try {
  const store = await openStore({ folder: process.argv[2] ?? '' });
  console.log('open');
  for await (const name of createInterface({ input: process.stdin })) {
    await store.db.insertInto('identity').values({ name, value: 'x' }).execute();
    console.log(name);
  }
  await store.close();
} catch (error) {
  console.log(error instanceof CasebridgeError ? error.code : error);
}

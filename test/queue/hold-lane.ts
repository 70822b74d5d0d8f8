// Opens the embedded store and its queue, wakes the lane that is named and runs it without an end, until it is killed.

import { openWakeUps } from '../../src/queue/queue.ts';
import { openStore } from '../../src/store/store.ts';

const [folder = '', connection = '', subject = ''] = process.argv.slice(2);
const store = await openStore({ folder });
const wakeUps = await openWakeUps({ store, onError: console.error });
const withoutEnd = async () => {
  console.log('running');
  await new Promise(() => setInterval(() => {}, 1_000));
};
wakeUps.work(withoutEnd, { concurrency: 1 });
await wakeUps.add([{ connection, subject }]);

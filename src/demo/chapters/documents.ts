// What the hospitals are told: a note at the Epic-like one, word for word, and after a change of the plan the edition that replaces it; at
// the Oracle-like one the same document, amended.

import { type Filed, filedFor, lastFiledFor, shortName } from '../filed.ts';
import { chartOf, patientsOf } from '../known-patients.ts';
import { type Person, rosa, thi } from '../people.ts';
import { objectsAt, textAt } from '../reading.ts';
import { expectThat, only, type Stage } from '../stage.ts';

export async function fileDocuments(stage: Stage): Promise<void> {
  await showNote(stage);
  await changePlans(stage);
}

async function showNote({ story, larchValley }: Stage): Promise<void> {
  const { name } = larchValley.place;
  story.chapter(`A note in the chart: what ${name} reads about ${rosa.given}`);
  for (const { person, isKnown } of patientsOf('larchValley')) {
    const filed = await filedFor(larchValley, chartOf(person));
    expectThat(
      isKnown === filed.length > 0,
      `${person.given}'s note is there if the chart is.`,
      `${filed.length} notes`,
    );
  }
  const note = await lastFiledFor(larchValley, chartOf(rosa));
  expectThat(
    [rosa.family, rosa.mrns?.larchValley ?? '', rosa.plan ?? ''].every((text) => note.text.includes(text)),
    'The note says whom and what it is about.',
    note.text,
  );
  story.say(`${shortName(note)}, filed under the visit that is open; its text as the server stores it:`);
  story.say('');
  for (const line of note.text.trimEnd().split('\n')) story.say(`  | ${line}`);
}

async function changePlans(stage: Stage): Promise<void> {
  const { story, gateway, larchValley, stBrigid } = stage;
  story.chapter('The plan changes: the charts follow');
  const note = await lastFiledFor(larchValley, chartOf(rosa));
  const document = await lastFiledFor(stBrigid, chartOf(thi));
  const after = await stBrigid.lastRequest();
  await reviseGoal(stage, rosa);
  await reviseGoal(stage, thi);
  await gateway.untilIdle('the new editions');
  await showReplaced(stage, note);
  await showAmended(stage, document, after);
}

/** The case manager writes down how it goes, and by when it is to be reached. */
async function reviseGoal({ gateway }: Stage, person: Person): Promise<void> {
  const [concern] = person.concerns;
  const goal = await gateway.record('goal', `goal-${person.name}-${concern?.domain ?? ''}`);
  const targets = objectsAt(goal, 'targets').map((target) => ({ ...target, dueOn: '2025-05-31' }));
  await gateway.put('goal', { ...goal, achievement: 'improving', targets, updatedAt: '2025-03-21T16:20:00-04:00' });
}

async function showReplaced({ story, larchValley }: Stage, before: Filed): Promise<void> {
  const notes = await filedFor(larchValley, chartOf(rosa));
  const note = await lastFiledFor(larchValley, chartOf(rosa));
  const old = only(
    notes.filter(({ id }) => id === before.id),
    'The note before stays as it was signed.',
  );
  expectThat(
    note.edition === before.edition + 1 && note.replaces === `DocumentReference/${old.id}` && old.text === before.text,
    'A signed note is never changed: a new one names the one that it replaces.',
    JSON.stringify(notes.map(({ id, edition, replaces }) => ({ id, edition, replaces }))),
  );
  story.say(`${larchValley.place.name}: a signed note is never changed, a new one says which it replaces (relatesTo).`);
  story.table([
    ['', 'document', 'edition', 'replaces'],
    ['stays', shortName(old), String(old.edition), old.replaces],
    ['new', shortName(note), String(note.edition), shortName(old)],
  ]);
  story.say('The new one says what changed:');
  story.table(changedSection(note).map((line) => [line]));
}

async function showAmended({ story, stBrigid }: Stage, before: Filed, after: number): Promise<void> {
  const amended = only(await filedFor(stBrigid, chartOf(thi)), `There is one document about ${thi.given}.`);
  const updates = (await stBrigid.journalled(after)).filter(
    (entry) => entry.method === 'PUT' && textAt(entry, 'url').endsWith(`/DocumentReference/${before.id}`),
  );
  const update = only(updates, 'The document is amended once.');
  const [was, is] = [textAt(update, 'requestHeaders', 'if-match'), textAt(update, 'responseHeaders', 'etag')];
  expectThat(
    amended.id === before.id &&
      amended.docStatus === 'amended' &&
      amended.edition === before.edition + 1 &&
      ![was, ''].includes(is),
    'The document is amended in its place.',
    JSON.stringify({ ...amended, was, is }),
  );
  story.say(`${stBrigid.place.name}: ${shortName(amended)} is amended in its place (PUT, If-Match).`);
  story.table([
    ['', 'version tag', 'edition'],
    ['before', was, String(before.edition)],
    ['after', is, String(amended.edition)],
  ]);
  story.say('It says what changed:');
  story.table(changedSection(amended).map((line) => [line]));
}

/** The lines of the section that says what changed, of a note or of an XHTML document. */
export function changedSection({ text }: Filed): string[] {
  const plain = text
    .replace(/<li>/g, '- ')
    .replace(/<[^>]*>/g, '')
    .split('\n')
    .filter((line) => line.trim() !== '');
  const start = plain.findIndex((line) => line.toLowerCase() === 'changed since the last one');
  const end = plain.findIndex((line, index) => index > start && line.toLowerCase() === 'needs');
  return plain.slice(start, end);
}

// Runs on any Node: says in one sentence what is missing instead of a syntax error from a newer file.
const major = Number(process.versions.node.split('.')[0]);
if (major < 24) {
  console.error(
    `Casebridge needs Node 24 or newer (this is ${process.versions.node}). On Linux and Windows "npm ci" brings it along for "npm run"; elsewhere install it from https://nodejs.org.`,
  );
  process.exit(2);
}

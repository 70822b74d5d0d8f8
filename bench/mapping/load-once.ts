// In a process of its own: loads all mappings and facts once and says what that cost, on standard output.

const start = { wall: performance.now(), cpu: process.cpuUsage() };

const { profileIds, requiredPaths } = await import('../../src/fhir/fhir.ts');
const { compileMappings, readMappingFiles } = await import('../../src/mapping/mapping.ts');
const modules = { wall: performance.now(), cpu: process.cpuUsage() };

// Facts are read when somebody asks for them.
for (const profile of profileIds()) requiredPaths(profile);
const compiled = compileMappings(await readMappingFiles(new URL('../../mappings', import.meta.url).pathname));
if ('problems' in compiled) throw new Error('the mappings do not compile');

console.log(
  JSON.stringify({
    modulesCpuMs: spent(start.cpu, modules.cpu),
    modulesMs: modules.wall - start.wall,
    cpuMs: spent(modules.cpu, process.cpuUsage()),
    ms: performance.now() - modules.wall,
  }),
);

function spent(from: NodeJS.CpuUsage, to: NodeJS.CpuUsage): number {
  return (to.user + to.system - from.user - from.system) / 1000;
}

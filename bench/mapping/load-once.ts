// In a process of its own: loads all mappings and facts once and says what that cost, on standard output.

const wall = performance.now();
const cpu = process.cpuUsage();

const { compiledMappings } = await import('./cases.ts');
const modules = performance.now();
await compiledMappings();

const { user, system } = process.cpuUsage(cpu);
console.log(
  JSON.stringify({
    cpuMs: (user + system) / 1000,
    wallMs: performance.now() - wall,
    compiledWallMs: performance.now() - modules,
  }),
);

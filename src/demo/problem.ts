/** Why the demo cannot go on, as a sentence for the person who watches it. */
export class DemoProblem extends Error {}

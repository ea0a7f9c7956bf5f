// Two ways to fail before anything could be compared.

/** What this node can't answer now, in a sentence that says what to do next. */
export class Unanswerable extends Error {}

/** What the node says contradicts itself, so that no reward can follow from it. */
export class Inconsistent extends Error {}

/** What cannot be done as it was typed, and what to type instead. */
export class Refusal extends Error {}

/** Why a query has no rows. Each is told to the model by the tool. */

/** The database's own words, in which a stranger's may stand. */
export class Refused extends Error {}

export class TooLong extends Error {
  constructor(timeoutMs: number) {
    super(`it took longer than ${timeoutMs} ms and was stopped`)
  }
}

export class TooMuch extends Error {
  constructor(bytes: number) {
    super(`its rows are more than ${bytes} bytes`)
  }
}

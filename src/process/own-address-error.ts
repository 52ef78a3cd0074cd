/** Upstreams that are this server itself: each call of one would come back, again and again. */
export class OwnAddressError extends Error {
  override readonly name = 'OwnAddressError'
  /** Each with its cure, as lines that end. */
  readonly problems: readonly string[]

  constructor(problems: readonly string[]) {
    super(problems.join(''))
    this.problems = problems
  }
}

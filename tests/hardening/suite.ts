/** One promise of docs/reliability.md, put to the test. */
export interface HardeningSuite {
  /** The promise's number. */
  readonly number: number
  /** `raw-http`: also its folder, `tests/hardening/<name>/`. */
  readonly name: string
  /** One sentence. */
  readonly promise: string
  /** Runs a few cases against a deliberately wrong stand-in, and throws unless the suite found the fault. */
  prove(): Promise<void>
  run(options: HardeningRun): Promise<HardeningResult>
}

/** How a suite is to be run. A case is determined by the seed and its id. */
export interface HardeningRun {
  readonly seed: number
  /** As in `npm test`: a few seconds each; all suites together take three minutes at most. */
  readonly isShort: boolean
  /** The id of one case, to run it alone. */
  readonly only: string | undefined
  /** Takes a line of progress, such as `12,000 of 100,000`. */
  readonly report: (line: string) => void
}

/** What a run has come to. */
export interface HardeningResult {
  readonly cases: number
  readonly failures: readonly HardeningFailure[]
  /** What goes into the table, such as `{ 'extra upstream requests': 0 }`. */
  readonly figures: Readonly<Record<string, string | number>>
}

/** A case that broke the promise. */
export interface HardeningFailure {
  readonly id: string
  readonly message: string
}

/** The seed of a run that was given none: each run says the same. */
export const DEFAULT_SEED = 20_261_130

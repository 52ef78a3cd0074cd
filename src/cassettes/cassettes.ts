import type { Player } from './player.ts'
import type { Recorder } from './recorder.ts'

/** What a gateway that records or replays does with each exchange; both: what has no cassette is recorded. */
export interface Cassettes {
  readonly record?: Recorder
  readonly play?: Player
}

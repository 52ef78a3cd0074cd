import type { CassettePlayer } from './player.ts'
import type { CassetteRecorder } from './recorder.ts'

/** What a gateway that records or replays does with each exchange; both: what has no cassette is recorded. */
export interface Cassettes {
  readonly record?: CassetteRecorder
  readonly play?: CassettePlayer
}

import type { ReceivedRequest } from './describe-request.ts'
import type { Recording, RecordingMemory } from './open-recording.ts'
import type { CassettePlayer } from './player.ts'
import type { CassetteRecorder } from './recorder.ts'

/** Recording and replaying, as a gateway uses them for each exchange. */
export interface Cassettes {
  /** Whether a request without a cassette is refused, so that nothing ever goes to an upstream. */
  readonly isClosed: boolean
  /**
   * Finds the recorded answer to a request; undefined: there is none, and the request goes on to the upstream. Throws `no_cassette` where
   * nothing may go on, and the signal's reason where the client leaves during a wait.
   */
  readonly find: (request: ReceivedRequest, signal: AbortSignal) => Promise<Response | undefined>
  /** Begins to record an exchange; undefined: nothing is recorded. */
  readonly record: (request: ReceivedRequest, memory: RecordingMemory) => Recording | undefined
  /** Resolves when everything that has ended so far is written. */
  readonly settle: () => Promise<void>
}

/**
 * Joins a player and a recorder. With both, a request without a cassette is recorded.
 *
 * @example
 * const cassettes = createCassettes({ recorder })
 * const answer = (await cassettes.find(request, signal)) ?? (await send(request))
 */
export function createCassettes({
  player,
  recorder,
}: {
  readonly player?: CassettePlayer
  readonly recorder?: CassetteRecorder
}): Cassettes {
  return {
    isClosed: player?.isClosed === true,
    find: async (request, signal) => player?.find(request, signal),
    record: (request, memory) => recorder?.begin(request, memory),
    settle: async () => recorder?.settle(),
  }
}

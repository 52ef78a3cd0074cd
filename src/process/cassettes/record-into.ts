import { createRecorder, type Recorder, type RecorderDeps } from '../../cassettes/recorder.ts'
import type { CassetteWriter } from '../../cassettes/write-cassettes.ts'
import { sha256 } from '../sha256.ts'

/**
 * A recorder with this platform's clocks and digest.
 *
 * @example
 * const recorder = recordInto(writer, { log, secrets: () => secrets })
 */
export function recordInto(
  writer: CassetteWriter,
  deps: Pick<RecorderDeps, 'log' | 'secrets' | 'onWritten'>,
): Recorder {
  return createRecorder({ ...deps, writer, sha256, now: () => performance.now(), date: () => new Date() })
}

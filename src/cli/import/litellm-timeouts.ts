import type { JsonObject } from '../../formats/json/json.ts'
import { durationOf, numberAt, sectionOf } from './litellm-values.ts'
import { memberPath, type NoteUntranslated, UNNEEDED } from './untranslated.ts'

/** The time limits of a configuration. */
export interface TimeoutRules {
  /** The `timeouts` of the whole file. */
  readonly overall: JsonObject | undefined
  /** Gives the `timeouts` of a deployment's upstream, from its `litellm_params`; undefined: those of the file. */
  readonly ofDeployment: (params: JsonObject, path: string) => JsonObject | undefined
}

/**
 * Reads LiteLLM's time limits. Each limits one wait for bytes, not the whole answer (it is the read timeout of LiteLLM's HTTP client: a
 * stream of 6 s completes under `timeout: 3`), and so it becomes `first_byte` and `stream_idle`, never `total`.
 *
 * LiteLLM looks for a call's limit in its deployment, then in `litellm_settings.request_timeout`, then in `router_settings.timeout`;
 * for a stream, in a `stream_timeout` first (Router._get_timeout of 1.108). LiteLLM has one limit for streams and one for other answers;
 * NexCode has one for both: the longer, so that no answer is cut that was not.
 *
 * @example
 * const { overall, ofDeployment } = readTimeouts(source, note)
 */
export function readTimeouts(source: JsonObject, note: NoteUntranslated): TimeoutRules {
  const request = secondsAt(sectionOf(source, 'litellm_settings'), 'request_timeout', 'litellm_settings', note)
  const router = secondsAt(sectionOf(source, 'router_settings'), 'timeout', 'router_settings', note)
  const routerStream = secondsAt(sectionOf(source, 'router_settings'), 'stream_timeout', 'router_settings', note)
  if (request !== undefined && router !== undefined) {
    note('router_settings.timeout', 'is passed over: litellm_settings.request_timeout goes before it')
  }
  const plain = request ?? router
  // `request_timeout` holds for streams as well only if both are set.
  const stream = routerStream ?? (router === undefined ? undefined : request)
  const overall = waitOf(plain, stream)
  noteStream(routerStream, plain, 'router_settings', note)

  return {
    overall: timeoutsOf(overall),
    ofDeployment(params, path) {
      const timeout = secondsAt(params, 'timeout', path, note)
      const other = secondsAt(params, 'request_timeout', path, note)
      if (timeout !== undefined && other !== undefined) {
        note(memberPath(path, 'request_timeout'), 'is passed over: timeout goes before it')
      }
      const ownStream = secondsAt(params, 'stream_timeout', path, note)
      const wait = waitOf(timeout ?? other ?? plain, ownStream ?? stream)
      noteStream(ownStream, timeout ?? other ?? plain, path, note)
      const own = timeout ?? other
      const ownPath = memberPath(path, timeout === undefined ? 'request_timeout' : 'timeout')
      if (own !== undefined && own !== wait) note(ownPath, 'is not for streams there: the longer limit is taken')
      else if (own !== undefined && wait === overall) note(ownPath, UNNEEDED)
      return wait === overall ? undefined : timeoutsOf(wait)
    },
  }
}

/** Reads a limit in seconds; 0 is none. */
function secondsAt(section: JsonObject, key: string, path: string, note: NoteUntranslated): number | undefined {
  const seconds = numberAt(section, key, path, note)
  if (seconds === 0) note(memberPath(path, key), UNNEEDED)
  return seconds === 0 ? undefined : seconds
}

/** Gives the longest time that a call waits for bytes; undefined: no limit. */
function waitOf(plain: number | undefined, stream: number | undefined): number | undefined {
  return plain === undefined ? undefined : Math.max(plain, stream ?? plain)
}

function timeoutsOf(seconds: number | undefined): JsonObject | undefined {
  return seconds === undefined ? undefined : { first_byte: durationOf(seconds), stream_idle: durationOf(seconds) }
}

function noteStream(stream: number | undefined, plain: number | undefined, path: string, note: NoteUntranslated): void {
  if (stream === undefined) return
  const why = 'is for streams only: `timeouts` are for all answers alike, the longer one is taken'
  note(memberPath(path, 'stream_timeout'), stream === plain ? UNNEEDED : why)
}

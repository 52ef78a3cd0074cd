import { isJsonObject } from '../../formats/json/json.ts'
import { ApiError } from '../../openai/api-error.ts'
import { innerModels } from '../../openai/inner-models.ts'
import { modelNotFound } from '../../openai/model-not-found.ts'
import { tooDeep } from '../../params/inner-limits.ts'
import type { CallerLimits } from '../caller-limits.ts'
import type { SessionOpening } from './metered-session.ts'
import type { ClientEvent } from './session-events.ts'

/** Whether a caller has any limit that a response may meet. */
export function isLimited(limits: CallerLimits | undefined): boolean {
  return limits !== undefined && (limits.needsModel || limits.places.length > 0)
}

/**
 * Asserts that an event names no model that its caller may not use, and does not have the session be one of another model than its URL names:
 * by that one it is allowed, and priced. Throws `model_not_found` and `rules_not_applicable`.
 *
 * @example
 * assertEventPermitted(event, limits, opening)
 */
export function assertEventPermitted(
  { type, value }: ClientEvent,
  limits: CallerLimits | undefined,
  { model, deployment }: Pick<SessionOpening, 'model' | 'deployment'>,
): void {
  if (limits === undefined || !isLimited(limits)) return
  if (limits.restrictsModels) {
    const named = innerModels(value)
    if (named === undefined) throw tooDeep()
    for (const one of named) if (!limits.permitsModel(one.model)) throw modelNotFound(one.model)
  }
  const { session } = value
  const own = type === 'session.update' && isJsonObject(session) ? session['model'] : undefined
  if (typeof own !== 'string' || own === model || own === deployment.model) return
  throw new ApiError('rules_not_applicable', {
    message: 'The model of a session is the one that its URL names. Open another session for another model.',
    param: 'session.model',
  })
}

/** Makes the refusal of a message that is not text, by a caller with limits. */
export function binaryRefused(): ApiError {
  return new ApiError('rules_not_applicable', {
    message: 'Your key has limits, and this server reads its events only as text messages. Send JSON in text messages.',
  })
}

import { ApiError } from './api-error.ts'

const NAME_CHARS_SHOWN = 100

/**
 * A name that a caller has written, as a message shows it: it may be of any length.
 *
 * @example
 * `The model \`${shownName(model)}\` has no price.`
 */
export function shownName(name: string): string {
  return name.slice(0, NAME_CHARS_SHOWN)
}

/**
 * OpenAI's error for a model that does not exist, and in the same words for one that a caller may not use: nobody learns which models there
 * are.
 *
 * @example
 * throw modelNotFound('gpt-9')
 */
export function modelNotFound(model: string): ApiError {
  return new ApiError('model_not_found', {
    message: `The model \`${shownName(model)}\` does not exist or you do not have access to it.`,
  })
}

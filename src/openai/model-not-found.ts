import { ApiError } from './api-error.ts'

const NAME_CHARS_SHOWN = 100

/**
 * OpenAI's error for a model that does not exist, and in the same words for one that a caller may not use: nobody learns which models there
 * are.
 *
 * @example
 * throw modelNotFound('gpt-9')
 */
export function modelNotFound(model: string): ApiError {
  const shown = model.slice(0, NAME_CHARS_SHOWN)
  return new ApiError('model_not_found', {
    message: `The model \`${shown}\` does not exist or you do not have access to it.`,
  })
}

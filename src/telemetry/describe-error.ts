/** An error as it may be logged. */
export interface DescribedError {
  readonly type: string
  readonly code: string | undefined
  readonly message: string
  /** Where it was thrown: the frames alone. */
  readonly stack: string | undefined
}

const MESSAGE_CHARS_MAX = 300

/**
 * Describes an error for the log by an allow-list: the runtime puts URLs with their queries, header values and pieces
 * of bodies into messages and properties of its errors.
 *
 * @example
 * const settings = { serializers: { err: describeError } }
 */
export function describeError(error: unknown): DescribedError {
  if (!(error instanceof Error)) {
    return { type: typeof error, code: undefined, message: withoutData(String(error)), stack: undefined }
  }
  const frames = error.stack?.split('\n').filter((line) => line.startsWith('    at '))
  return {
    type: error.name,
    code: 'code' in error && typeof error.code === 'string' ? error.code : undefined,
    message: withoutData(error.message),
    stack: frames === undefined || frames.length === 0 ? undefined : frames.join('\n'),
  }
}

/**
 * Says in one line why something failed: the system's code alone where there is one.
 *
 * @example
 * describeCause(error) // 'ECONNREFUSED'
 */
export function describeCause(cause: unknown): string {
  if (typeof cause === 'string') return withoutData(cause)
  const { type, code, message } = describeError(cause)
  return code ?? `${type}: ${message}`
}

/** A text without URLs and quoted parts, unless these are pieces of our own source. */
function withoutData(text: string): string {
  return text
    .slice(0, MESSAGE_CHARS_MAX)
    .replace(/"[^"]*"?|(?<!\w|evaluating )'[^']*'?|`[^`]*`?/g, '…')
    .replace(/\S+:\/\/\S+/g, '…')
}

/**
 * Gives a promise that never rejects: undefined stands for any failure. For cleanup, such as cancelling a body that nobody reads any
 * more: the outcome has been reported by then, and a failure could only hide it, or end the process as an unhandled rejection.
 *
 * @example
 * void ignoreRejection(response.body?.cancel())
 */
export function ignoreRejection<T>(promise: Promise<T> | undefined): Promise<T | undefined> {
  return promise === undefined ? Promise.resolve(undefined) : promise.catch(() => undefined)
}

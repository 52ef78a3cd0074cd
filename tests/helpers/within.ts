/** As good as at once: far below the limits of a gateway that was told none, far above a busy machine's delays. */
export const AT_ONCE_MS = 15_000

/** Fails where something takes longer than it may. */
export async function within<T>(ms: number, what: string, promise: Promise<T>): Promise<T> {
  const late = Promise.withResolvers<never>()
  const timer = setTimeout(() => late.reject(new Error(`${what} took longer than ${ms} ms`)), ms)
  try {
    return await Promise.race([promise, late.promise])
  } finally {
    clearTimeout(timer)
  }
}

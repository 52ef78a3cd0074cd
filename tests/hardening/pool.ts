/**
 * Runs `run` for each item, so many at once, and resolves when all are through. Rejects with the first rejection.
 *
 * @example
 * await inPool(cases, 40, async (one) => judge(one, await send(one)))
 */
export async function inPool<T>(items: Iterable<T>, atOnce: number, run: (item: T) => Promise<void>): Promise<void> {
  // One iterator for all of them: each takes the next item.
  const iterator = items[Symbol.iterator]()
  const work = async (): Promise<void> => {
    for (let next = iterator.next(); next.done !== true; next = iterator.next()) await run(next.value)
  }
  await Promise.all(Array.from({ length: atOnce }, work))
}

import { afterEach } from 'bun:test'

/**
 * Gives a function that does as `start`, and ends what it has started when the test is over.
 *
 * @example
 * const start = perTest(startGateway)
 */
export function perTest<Args extends readonly unknown[], Started extends AsyncDisposable>(
  start: (...args: Args) => Promise<Started>,
): (...args: Args) => Promise<Started> {
  const running: AsyncDisposable[] = []
  afterEach(async () => {
    await Promise.all(running.splice(0).map((one) => one[Symbol.asyncDispose]()))
  })
  return async (...args) => {
    const started = await start(...args)
    running.push(started)
    return started
  }
}

import { createServer } from 'node:net'

/** Ports that no system gives out by itself (Linux: from 32768, others: from 49152), and that are hardly used. */
const FIRST = 12_000
const COUNT = 20_000
const TRIES_MAX = 100

/**
 * Finds a port of 127.0.0.1 that nobody listens on, and that no server of another test gets by chance: test files run in several
 * processes at once, and a port that the system has given out is given out again when it is free.
 */
export async function freePort(): Promise<number> {
  for (let tries = 0; tries < TRIES_MAX; tries += 1) {
    const port = FIRST + Math.floor(Math.random() * COUNT)
    if (await isFree(port)) return port
  }
  throw new Error('There is no free port.')
}

function isFree(port: number): Promise<boolean> {
  const server = createServer()
  return new Promise((resolve) => {
    server.once('error', () => resolve(false))
    server.listen(port, '127.0.0.1', () => server.close(() => resolve(true)))
  })
}

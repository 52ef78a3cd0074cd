import { createServer } from 'node:net'

/** Finds a port of 127.0.0.1 that nobody listens on. */
export async function freePort(): Promise<number> {
  const server = createServer()
  await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', () => resolve()))
  const address = server.address()
  await new Promise<void>((resolve) => void server.close(() => resolve()))
  if (typeof address !== 'object' || address === null) throw new Error('There is no free port.')
  return address.port
}

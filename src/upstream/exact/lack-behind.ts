import { closeSync, openSync } from 'node:fs'

/** What the runtime says of a connection, or a name's look-up, for which it got no descriptor: the same as of a server that refuses one. */
const MISLEADING = /^(?:ECONNREFUSED|ConnectionRefused|FailedToOpenSocket|ENOTFOUND|ESERVFAIL|ECONNABORTED|EAI_\w+)$/
/** What the system says where there is none. */
const LACKS: ReadonlySet<string> = new Set(['EMFILE', 'ENFILE', 'ENOMEM'])
/** A look-up takes two at once. */
const TAKEN = 2
/** Others that failed with one lack are told apart no more once a descriptor has come free. */
const REMEMBERED_MS = 500

let lack: string | undefined
let lackedAt = Number.NEGATIVE_INFINITY

/**
 * Gives the error of a connection that did not come about, or in its place the system's own (EMFILE, ENFILE, ENOMEM) where it was this
 * process that could open nothing more: then the upstream has done nothing.
 *
 * @example
 * catch (cause) { throw upstreamFailure(lackBehind(cause)) }
 */
export function lackBehind(cause: unknown): unknown {
  if (!(cause instanceof Error && 'code' in cause && MISLEADING.test(String(cause.code)))) return cause
  const found = findLack()
  if (found !== undefined) {
    lack = found
    lackedAt = performance.now()
  } else if (performance.now() - lackedAt > REMEMBERED_MS) return cause
  return Object.assign(new Error('nothing more can be opened', { cause }), { code: lack })
}

/** Tries to open what is always there. */
function findLack(): string | undefined {
  const opened: number[] = []
  try {
    while (opened.length < TAKEN) opened.push(openSync('/', 'r'))
    return undefined
  } catch (cause) {
    const code = cause instanceof Error && 'code' in cause ? String(cause.code) : ''
    return LACKS.has(code) ? code : undefined
  } finally {
    for (const fd of opened) closeSync(fd)
  }
}

import { closeSync, openSync } from 'node:fs'

/** The runtime's codes for a connection or a name look-up that got no descriptor: the same as for a server that refuses. */
const AMBIGUOUS = /^(?:ECONNREFUSED|ConnectionRefused|FailedToOpenSocket|ENOTFOUND|ESERVFAIL|ECONNABORTED|EAI_\w+)$/
/** The system's codes for a shortage. */
const SHORTAGES: ReadonlySet<string> = new Set(['EMFILE', 'ENFILE', 'ENOMEM'])
/** A name look-up takes two descriptors at once. */
const PROBED = 2
/** Several connections may fail by one shortage, and some be examined after a descriptor has come free: it is remembered this long. */
const REMEMBERED_MS = 500

let shortage: string | undefined
let shortAt = Number.NEGATIVE_INFINITY

/**
 * Gives the error of a failed connection; or the system's own (EMFILE, ENFILE, ENOMEM) in its place when this process could open no
 * more descriptors: then the upstream is not to blame.
 *
 * @example
 * catch (cause) { throw upstreamFailure(diagnoseConnectFailure(cause)) }
 */
export function diagnoseConnectFailure(cause: unknown): unknown {
  if (!(cause instanceof Error && 'code' in cause && AMBIGUOUS.test(String(cause.code)))) return cause
  const found = findShortage()
  if (found !== undefined) {
    shortage = found
    shortAt = performance.now()
  } else if (performance.now() - shortAt > REMEMBERED_MS) return cause
  return Object.assign(new Error('nothing more can be opened', { cause }), { code: shortage })
}

/** Tries to open the root folder, which always exists; gives the code of a shortage. */
function findShortage(): string | undefined {
  const opened: number[] = []
  try {
    while (opened.length < PROBED) opened.push(openSync('/', 'r'))
    return undefined
  } catch (cause) {
    const code = cause instanceof Error && 'code' in cause ? String(cause.code) : ''
    return SHORTAGES.has(code) ? code : undefined
  } finally {
    for (const fd of opened) closeSync(fd)
  }
}

import type { GatewayUnderTest } from './gateway-under-test.ts'
import type { LogLine } from './log-lines.ts'

/** What a gateway says of the configuration files that it has read again. */
export interface Reloads {
  /** Resolves with the n-th line (from 1) about a configuration that was taken over. */
  readonly reloaded: (n: number) => Promise<LogLine>
  /** Resolves with the n-th line (from 1) about one that was not. */
  readonly refused: (n: number) => Promise<LogLine>
  /** How often each has been, so far. */
  readonly counts: () => { readonly reloaded: number; readonly refused: number }
  /** Asks for a reload, and resolves with the line about it, whichever it is. */
  readonly hangUp: () => Promise<LogLine>
}

const RELOADED = 'configuration reloaded ('
const REFUSED = 'configuration not reloaded ('

/** Watches the log of a gateway that is a process of its own. */
export function watchReloads(gateway: GatewayUnderTest): Reloads {
  const all = (prefix: string): LogLine[] => gateway.lines.filter(({ msg }) => String(msg).startsWith(prefix))
  // A copy: a matcher of the runner's writes itself into what it is asked about.
  const nth = async (prefix: string, n: number): Promise<LogLine> => ({
    ...(await gateway.line((line) => all(prefix).indexOf(line) === n - 1)),
  })
  const counts = () => ({ reloaded: all(RELOADED).length, refused: all(REFUSED).length })
  return {
    reloaded: (n) => nth(RELOADED, n),
    refused: (n) => nth(REFUSED, n),
    counts,
    hangUp() {
      const { reloaded, refused } = counts()
      gateway.child?.kill('SIGHUP')
      return Promise.race([nth(RELOADED, reloaded + 1), nth(REFUSED, refused + 1)])
    },
  }
}

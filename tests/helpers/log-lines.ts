/** A line of the log. */
export type LogLine = Readonly<Record<string, unknown>>

/** The log of a gateway under test, line by line. */
export interface LogLines {
  /** The lines so far. */
  readonly lines: readonly LogLine[]
  /** Resolves with the first line that fits, past or future. */
  readonly line: (fits: (line: LogLine) => boolean) => Promise<LogLine>
  /** Resolves with the record of the n-th exchange (from 1) that has ended. */
  readonly exchange: (n: number) => Promise<LogLine>
}

/** Makes an empty log; `take` adds text to it, which may be cut anywhere. */
export function createLogLines(): LogLines & { readonly take: (text: string) => void } {
  const lines: LogLine[] = []
  const waiting = new Set<{ readonly fits: (line: LogLine) => boolean; readonly resolve: (line: LogLine) => void }>()
  let pending = ''
  const line = (fits: (line: LogLine) => boolean): Promise<LogLine> => {
    const had = lines.find(fits)
    if (had !== undefined) return Promise.resolve(had)
    return new Promise((resolve) => void waiting.add({ fits, resolve }))
  }
  return {
    lines,
    line,
    exchange(n: number): Promise<LogLine> {
      return line((candidate) => lines.filter(({ msg }) => msg === 'exchange').indexOf(candidate) === n - 1)
    },
    take(text: string): void {
      const parts = (pending + text).split('\n')
      pending = parts.pop() ?? ''
      for (const part of parts.filter((one) => one !== '')) {
        const parsed = JSON.parse(part) as LogLine
        lines.push(parsed)
        for (const one of waiting) {
          if (!one.fits(parsed)) continue
          waiting.delete(one)
          one.resolve(parsed)
        }
      }
    },
  }
}

import type { HardeningFailure } from '../suite.ts'
import { CALLERS, CONTENT, type Digests, foreignCanaries, hasCanary, kindsIn, SERVERS } from './canaries.ts'

/** Why an answer breaks the promise; undefined: it does not. `isOurs`: the upstream was not asked; `isError`: it reports a failure. */
export function judgeAnswer(number: number, text: string, isOurs: boolean, isError = false): string | undefined {
  // A good answer's body is what the model has said; all else is searched.
  const isGood = /^HTTP\/1\.1 2/.test(text) && !isError
  const servers = kindsIn(isGood ? text.slice(0, text.indexOf('\r\n\r\n')) : text, SERVERS)
  if (servers.length > 0) return `the caller was shown the server's own: ${servers.join(', ')}`
  const foreign = foreignCanaries(text, number)
  if (foreign.length > 0) return `the caller was shown another one's: ${foreign[0]}`
  if (!isOurs) return undefined
  const repeated = kindsIn(text, [...CALLERS, 'pro', 'fil'])
  return repeated.length === 0 ? undefined : `an error of ours repeats ${repeated.join(', ')}: ${text.slice(0, 300)}`
}

/** What of a log breaks the promise: a line with any canary in it, in whichever form, or a digest of a secret. */
export function judgeLog(where: string, lines: readonly string[], digests: Digests): readonly HardeningFailure[] {
  return lines.flatMap((written) => {
    // A cassette is called after the path that it is for.
    const line = written.replace(/"cassette":"[^"]*"/, '')
    const secret = digests.find(line)
    if (secret === undefined && !hasCanary(line)) return []
    const number = /"case-(\d+)"/.exec(line)?.[1] ?? '?'
    const kinds = kindsIn(line, [...SERVERS, ...CALLERS, ...CONTENT])
    const what = secret === undefined ? `a canary (${kinds.join(', ')})` : `a digest of ${secret}`
    return [{ id: `${where}/case-${number}`, message: `the log has ${what}: ${line.slice(0, 300)}` }]
  })
}

/** What of a cassette breaks the promise: any secret, in whichever form. What was said is what it is for. */
export function judgeCassette(where: string, text: string): readonly HardeningFailure[] {
  const kinds = kindsIn(text, [...SERVERS, ...CALLERS])
  if (kinds.length === 0) return []
  const number = /0123456789n(\d+)e/.exec(text)?.[1] ?? '?'
  return [{ id: `${where}/case-${number}`, message: `a cassette has ${kinds.join(', ')}: ${text.slice(0, 1500)}` }]
}

import { BASE_PATH, FROM_UPSTREAM, type Probe, type ProbeArrival, type ProbeOutcome, SERVER_KEY } from './probe.ts'
import { ADMINISTRATION, OPEN_PATHS } from './served-routes.ts'

/** Says what is wrong with what came of a probe; undefined: nothing. */
export function judgeProbe(probe: Probe, { response, arrivals }: ProbeOutcome): string | undefined {
  if (response === undefined) return 'it got no answer'
  const { status } = response
  if (status >= 500) return `it was answered ${status}`
  if (!probe.host.isGood) {
    if (arrivals.length > 0) return `its Host is none, and it went upstream as ${arrivals[0]?.target}`
    return status === 400 ? undefined : `its Host is none, and it was answered ${status}`
  }
  if (probe.key !== 'right') return judgeStranger(probe, status, response.text(), arrivals)
  return judgeHolder(probe, status, arrivals)
}

/** One without the right key: sees the open pages, spelled plainly, and nothing else. */
function judgeStranger(
  { target, key }: Probe,
  status: number,
  body: string,
  arrivals: readonly ProbeArrival[],
): string | undefined {
  if (arrivals.length > 0)
    return `with ${key === 'none' ? 'no' : 'a wrong'} key it went upstream as ${arrivals[0]?.target}`
  if (body.includes(FROM_UPSTREAM) || body.includes('"targets"')) return `it saw what only holders of a key may see`
  if (status >= 400 || isOpen(target)) return undefined
  return `it is none of the open pages, and was answered ${status}`
}

/** A holder: what was asked for is what is run, below the upstream's base, with the server's key. */
function judgeHolder(
  { target, route, isPlain }: Probe,
  status: number,
  arrivals: readonly ProbeArrival[],
): string | undefined {
  const [first] = arrivals
  if (first === undefined) {
    if (isPlain && route.isUpstreams) return `it never came to the upstream, and was answered ${status}`
    return undefined
  }
  if (arrivals.length > 1) return `it went upstream ${arrivals.length} times`
  if (isOpen(target)) return `an open page was asked for upstream, as ${first.target}`
  const asked = BASE_PATH + (target.startsWith('/v1/') ? target.slice('/v1'.length) : target)
  if (first.target !== asked || first.method !== route.method)
    return `it went upstream as ${first.method} ${first.target}`
  if (first.authorization !== `Bearer ${SERVER_KEY}`)
    return 'it went upstream with another credential than the server’s key'
  const paths = readings(first.target)
  const administered = paths.find((path) => ADMINISTRATION.has(path.slice(BASE_PATH.length + 1).split('/', 1)[0] ?? ''))
  if (administered !== undefined) return `with the server's key some reader is asked for ${administered}`
  const elsewhere = paths.find((path) => !path.startsWith(`${BASE_PATH}/`))
  return elsewhere === undefined ? undefined : `some reader takes what went upstream for ${elsewhere}`
}

function isOpen(target: string): boolean {
  const path = target.split('?', 1)[0] ?? ''
  return OPEN_PATHS.has(path) || (path.endsWith('/') && OPEN_PATHS.has(path.slice(0, -1)))
}

/** The paths that readers make of a target: as a URL, with slashes merged, without parameters, and decoded up to twice before each. */
function readings(target: string): readonly string[] {
  const path = target.split('?', 1)[0] ?? ''
  const decodings = [path, decode(path), decode(decode(path))]
  return decodings.flatMap((spelling) => {
    const forms = [spelling, spelling.replaceAll('\\', '/'), spelling.replaceAll(/;[^/]*/g, '')]
    return forms.map((form) => new URL(`http://upstream.invalid${form}`).pathname.replaceAll(/\/{2,}/g, '/'))
  })
}

function decode(path: string): string {
  return path.replaceAll(/%([0-9a-f]{2})/gi, (_, code: string) => String.fromCharCode(Number.parseInt(code, 16)))
}

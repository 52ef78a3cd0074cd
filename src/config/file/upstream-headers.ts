import type { Fault } from '../kind.ts'
import type { Preset } from '../presets.ts'
import { Secret } from '../secret.ts'
import type { UpstreamSettings } from '../settings.ts'
import { headerNameFault, tokenFault } from './header-names.ts'
import type { UpstreamPart } from './parts.ts'
import type { Path } from './path.ts'
import type { Scope } from './scope.ts'

const TWICE: Fault = { wrong: 'is set a second time', cure: 'Take one of the two out.' }

/** The header that an upstream's key goes into. Reports one that cannot carry it. */
export function takeKeyHeader(scope: Scope, path: Path, part: UpstreamPart, preset: Preset | undefined): string {
  const name = (part.key_header ?? preset?.keyHeader ?? 'authorization').toLowerCase()
  const fault = headerNameFault(name)
  if (fault !== undefined) scope.add([...path, 'key_header'], fault)
  return name
}

/** The headers that each call gets, in lower case. Reports names and values that cannot be sent. */
export function takeHeaders(
  scope: Scope,
  path: Path,
  part: UpstreamPart,
  { auth, keyHeader }: Pick<UpstreamSettings, 'auth' | 'keyHeader'>,
): UpstreamSettings['headers'] {
  const headers = new Map<string, Secret>()
  const take = (at: Path, name: string, value: string, nameFault?: Fault): void => {
    if (nameFault !== undefined) scope.add(at, nameFault, 'key')
    else if (headers.has(name)) scope.add(at, TWICE, 'key')
    // Tabs and visible characters of ASCII, as RFC 9110 §5.5 has it for new values.
    else if (/[^\t\x20-\x7e]/.test(value)) {
      scope.add(at, { wrong: 'has characters that cannot travel in a header', cure: 'Use visible ASCII characters.' })
    }
    headers.set(name, new Secret(value))
  }

  for (const [written, value] of Object.entries(part.headers ?? {})) {
    const name = written.toLowerCase()
    const isOfKey = name === keyHeader && auth !== 'none'
    take([...path, 'headers', written], name, value, isOfKey ? OF_KEY : headerNameFault(name))
  }
  if (part.organization !== undefined) take([...path, 'organization'], 'openai-organization', part.organization)
  if (part.project !== undefined) take([...path, 'project'], 'openai-project', part.project)
  return [...headers]
}

const OF_KEY: Fault = { wrong: 'is the header that carries the key', cure: 'Set api_key, or auth: none.' }

/** The parameters that each URL gets: the preset's, and the file's in place of them. Reports names that cannot be sent. */
export function takeQuery(
  scope: Scope,
  path: Path,
  part: UpstreamPart,
  preset: Preset | undefined,
): UpstreamSettings['query'] {
  for (const name of Object.keys(part.query ?? {})) {
    const fault = tokenFault(name)
    if (fault !== undefined) scope.add([...path, 'query', name], fault, 'key')
  }
  return Object.entries({ ...preset?.query, ...part.query }).map(([name, value]) => [name, new Secret(value)] as const)
}

import type { Preset } from '../presets.ts'
import type { Secret } from '../secret.ts'
import type { UpstreamSettings } from '../settings.ts'
import { secret } from '../text-kinds.ts'
import type { UpstreamPart } from './parts.ts'
import type { Path } from './path.ts'
import type { Scope } from './scope.ts'

const PLACES = ['api_key', 'api_keys', 'api_key_file'] as const

/**
 * Whether a key of an upstream stands at a path.
 *
 * @example
 * isPlaceOfKey(['upstreams', 'openai', 'api_key']) // true
 */
export function isPlaceOfKey([first, , place]: Path): boolean {
  return first === 'upstreams' && PLACES.some((name) => name === place)
}

/** Whose key an upstream is spoken to with, and which. Reports keys that cannot be sent, and what contradicts itself. */
export function takeAuth(
  scope: Scope,
  path: Path,
  part: UpstreamPart,
  preset: Preset | undefined,
): Pick<UpstreamSettings, 'auth' | 'keys' | 'keyNames'> {
  const [place, ...others] = PLACES.filter((name) => scope.isWritten([...path, name]))
  for (const other of others) {
    scope.add([...path, other], { wrong: `is set, and ${place} too`, cure: 'Set one of the two.' }, 'key')
  }
  const hasKey = place !== undefined
  // What is written, but is no good, has been reported.
  const isSilent = part.auth === undefined && scope.isWritten([...path, 'auth'])
  if (!hasKey && !isSilent && preset?.needsKey === true && part.auth !== 'caller') {
    const cure = 'Set api_key, or auth: caller where each caller brings their own.'
    scope.add(path, { wrong: `has no key, which ${preset.title} asks for`, cure }, 'key')
  } else if (!hasKey && part.auth === 'server') {
    const cure = 'Set api_key, api_keys or api_key_file; or auth: caller.'
    scope.add([...path, 'auth'], { wrong: 'is server, though there is no key', cure })
  }
  return { auth: part.auth ?? (hasKey ? 'server' : 'none'), ...takeKeys(scope, path, part) }
}

/** The keys, and what each is called where it must not be shown: its variable, else where it stands. */
function takeKeys(scope: Scope, path: Path, part: UpstreamPart): Pick<UpstreamSettings, 'keys' | 'keyNames'> {
  const named = new Map<string, { readonly secret: Secret; readonly name: string }>()
  const take = (at: Path, text: string, name: string, which = ''): void => {
    const key = text.trim()
    if (key === '') {
      scope.add(at, { wrong: `${which}is empty`, cure: 'Write the key, or set the variable that it is taken from.' })
      return
    }
    const parsed = secret.parse(key)
    if (parsed.ok) named.set(key, named.get(key) ?? { secret: parsed.value, name })
    else scope.add(at, { ...parsed.fault, wrong: which + parsed.fault.wrong })
  }

  const nameAt = (at: Path, place: string): string => scope.variableAt(at) ?? place
  if (part.api_key !== undefined) {
    const at = [...path, 'api_key']
    take(at, part.api_key, nameAt(at, 'api_key'))
  }
  const { api_keys: pool = [] } = part
  for (const [index, key] of pool.entries()) {
    const at = scope.pathOfEntry(pool, index)
    take(at, key, nameAt(at, `api_keys[${index}]`))
  }
  if (part.api_key_file !== undefined && !scope.isKeyless) {
    const at = [...path, 'api_key_file']
    const lines = scope.readFile(at, part.api_key_file)?.split(/\r?\n/) ?? []
    for (const [index, line] of lines.entries()) {
      if (line.trim() !== '')
        take(at, line, `line ${index + 1} of api_key_file`, `names a file whose line ${index + 1} `)
    }
  }
  const taken = [...named.values()]
  return { keys: taken.map((one) => one.secret), keyNames: taken.map((one) => one.name) }
}

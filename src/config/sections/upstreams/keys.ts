import { Type } from '@sinclair/typebox'
import type { Path } from '../../file/path.ts'
import { type FieldValues, HIDDEN, optional, words, writeVariable } from '../../file/schema/fields.ts'
import type { SectionReader } from '../../file/section-reader.ts'
import type { Preset } from '../../providers/presets.ts'
import type { Secret } from '../../secret.ts'
import { secret } from '../../text-kinds.ts'

const AUTH = ['server', 'caller', 'none'] as const

/** The source of the key for an upstream, and the server's keys. */
export interface UpstreamKeys {
  /**
   * One of `keys` (`server`), the caller's own (`caller`), none (`none`); or the caller's own where it brings one and the server's else
   * (`either`, which is what the environment alone means).
   */
  readonly auth: (typeof AUTH)[number] | 'either'
  /** The server's keys with it; more than one is a pool. */
  readonly keys: readonly Secret[]
  /** A name for each of `keys`, which must not be shown: its variable, or its place in the file. */
  readonly keyNames: readonly string[]
}

/** The fields of an upstream for its API key. */
export const AUTH_FIELDS = {
  api_key: optional(Type.String(), "The server's key with it.", {
    ...HIDDEN,
    examples: [writeVariable('OPENAI_API_KEY')],
  }),
  api_keys: optional(Type.Array(Type.String(HIDDEN), { minItems: 1, ...HIDDEN }), 'Several keys: a pool.', {
    examples: [[writeVariable('KEY_A'), writeVariable('KEY_B')]],
  }),
  api_key_file: optional(Type.String(), 'A file that holds the key, or several, one on each line.', {
    examples: ['/run/secrets/openai_api_key'],
  }),
  auth: optional(words(AUTH), "Whose key it is spoken to with: the server's, the caller's, none.", {
    'x-default': 'server with a key, else none',
  }),
}

type AuthFields = FieldValues<typeof AUTH_FIELDS>

const PLACES = ['api_key', 'api_keys', 'api_key_file'] as const

/** Whether an API key of an upstream stands at a path, such as `upstreams.openai.api_key`. */
export function isPlaceOfKey([first, , place]: Path): boolean {
  return first === 'upstreams' && PLACES.some((name) => name === place)
}

/** Reads the source of the key for an upstream, and its keys. Reports keys that cannot be sent, and contradictions. */
export function keysFromFile(reader: SectionReader, part: AuthFields, preset: Preset | undefined): UpstreamKeys {
  const [place, ...others] = PLACES.filter((name) => reader.at(name).isWritten())
  for (const other of others) {
    reader.at(other).report({ wrong: `is set, and ${place} too`, cure: 'Set one of the two.' }, 'key')
  }
  const hasKey = place !== undefined
  // A bad `auth` has been reported.
  const isSilent = part.auth === undefined && reader.at('auth').isWritten()
  if (!hasKey && !isSilent && preset?.needsKey === true && part.auth !== 'caller') {
    const cure = 'Set api_key, or auth: caller where each caller brings their own.'
    reader.report({ wrong: `has no key, which ${preset.title} asks for`, cure }, 'key')
  } else if (!hasKey && part.auth === 'server') {
    const cure = 'Set api_key, api_keys or api_key_file; or auth: caller.'
    reader.at('auth').report({ wrong: 'is server, though there is no key', cure })
  }
  return { auth: part.auth ?? (hasKey ? 'server' : 'none'), ...readKeys(reader, part) }
}

/** The keys, each with a name that may be shown: its variable, or its place in the file. */
function readKeys(reader: SectionReader, part: AuthFields): Pick<UpstreamKeys, 'keys' | 'keyNames'> {
  const named = new Map<string, { readonly secret: Secret; readonly name: string }>()
  const take = (at: SectionReader, written: string, name: string, which = ''): void => {
    const key = written.trim()
    if (key === '') {
      at.report({ wrong: `${which}is empty`, cure: 'Write the key, or set the variable that it is taken from.' })
      return
    }
    const parsed = secret.parse(key)
    if (parsed.ok) named.set(key, named.get(key) ?? { secret: parsed.value, name })
    else at.report({ ...parsed.fault, wrong: which + parsed.fault.wrong })
  }

  const nameAt = (at: SectionReader, place: string): string => at.variable() ?? place
  if (part.api_key !== undefined) {
    const at = reader.at('api_key')
    take(at, part.api_key, nameAt(at, 'api_key'))
  }
  const { api_keys: pool = [] } = part
  for (const [index, key] of pool.entries()) {
    const at = reader.ofEntry(pool, index)
    take(at, key, nameAt(at, `api_keys[${index}]`))
  }
  if (part.api_key_file !== undefined && !reader.isKeyless) {
    const at = reader.at('api_key_file')
    const lines = at.readFile(part.api_key_file)?.split(/\r?\n/) ?? []
    for (const [index, line] of lines.entries()) {
      if (line.trim() !== '')
        take(at, line, `line ${index + 1} of api_key_file`, `names a file whose line ${index + 1} `)
    }
  }
  const taken = [...named.values()]
  return { keys: taken.map((one) => one.secret), keyNames: taken.map((one) => one.name) }
}

import { Type } from '@sinclair/typebox'
import type { Json } from '../../formats/json/json.ts'
import { type EnvReader, row } from '../env-reader.ts'
import {
  anyJson,
  closed,
  duration,
  type FieldValues,
  optional,
  required,
  text,
  words,
  writeDuration,
} from '../file/schema/fields.ts'
import type { SectionReader } from '../file/section-reader.ts'
import { type Kind, right, wrong } from '../scalar-kinds.ts'

const ON_ERROR = ['fail', 'skip'] as const

/** One extension: a file of the user's. */
export interface ExtensionSettings {
  readonly path: string
  readonly options: Json
  /** Whether a request fails with its extension, or goes on without it. */
  readonly onError: (typeof ON_ERROR)[number]
  /** The limit on its own work in one stretch; 0: no limit. */
  readonly timeoutMs: number
}

/** The settings of an extension of which only the path is given. */
const EXTENSION_DEFAULTS: Omit<ExtensionSettings, 'path'> = { options: {}, onError: 'fail', timeoutMs: 5000 }

/** Paths of files, by comma. */
const pathList: Kind<readonly string[]> = {
  label: 'path list',
  parse(written) {
    const paths = written
      .split(',')
      .map((path) => path.trim())
      .filter((path) => path !== '')
    return paths.some((path) => /\p{Cc}/u.test(path))
      ? wrong('has a control character in it', 'Use the paths of files, by comma.')
      : right(paths)
  },
}

/** The variable of the extensions. */
export const EXTENSIONS_ENV = {
  EXTENSIONS: row({
    name: 'EXTENSIONS',
    kind: pathList,
    default: [],
    doc: 'Extensions: TypeScript files with your own logic, by comma, in their order.',
    example: './a.ts,./b.ts',
  }),
} as const

const ExtensionEntry = Type.Union([
  text(),
  closed('extension', {
    path: required(text(), 'Its file, as seen from this file.', { examples: ['./extensions/mask.ts'] }),
    options: optional(anyJson(), 'What the extension itself is told; checked by its own schema, where it has one.', {
      default: EXTENSION_DEFAULTS.options,
    }),
    on_error: optional(words(ON_ERROR), 'When it fails: an error, or the request goes on without it.', {
      default: EXTENSION_DEFAULTS.onError,
    }),
    timeout: optional(duration(), 'For its own work in one stretch; 0: no limit.', {
      default: writeDuration(EXTENSION_DEFAULTS.timeoutMs),
    }),
  }),
])

/** `extensions` in the file. */
export const EXTENSIONS_FIELDS = {
  extensions: optional(
    Type.Array(ExtensionEntry),
    "Files with the user's own logic, in the order in which a request meets them.",
    { 'x-default': 'EXTENSIONS', examples: [['./extensions/mask.ts']] },
  ),
}

/** The extensions by the environment alone, in their order. */
export function extensionsFromEnv({ take }: EnvReader): readonly ExtensionSettings[] {
  return take(EXTENSIONS_ENV.EXTENSIONS).map((path) => ({ ...EXTENSION_DEFAULTS, path }))
}

/** The extensions by the file, in its order; those of the environment (`base`) where the file names none. */
export function extensionsFromFile(
  reader: SectionReader,
  { extensions }: FieldValues<typeof EXTENSIONS_FIELDS>,
  base: readonly ExtensionSettings[],
): readonly ExtensionSettings[] {
  if (extensions === undefined) return base
  return extensions.map((entry) => {
    if (typeof entry === 'string') return { ...EXTENSION_DEFAULTS, path: reader.beside(entry) }
    return {
      path: reader.beside(entry.path),
      options: entry.options ?? EXTENSION_DEFAULTS.options,
      onError: entry.on_error ?? EXTENSION_DEFAULTS.onError,
      timeoutMs: entry.timeout ?? EXTENSION_DEFAULTS.timeoutMs,
    }
  })
}

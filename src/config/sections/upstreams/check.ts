import { closed, duration, type FieldValues, optional, text, writeDuration } from '../../file/schema/fields.ts'
import type { SectionReader } from '../../file/section-reader.ts'
import type { Preset } from '../../providers/presets.ts'
import { urlPathFault } from './path-template.ts'

/** The request of an active health check. */
export interface CheckSettings {
  /** The request targets, tried one after the other until one exists. */
  readonly targets: readonly string[]
  readonly everyMs: number
  readonly timeoutMs: number
}

/** The active check of a file without details; its path is the preset's where that has one. */
const CHECK_DEFAULTS = { path: '/models', everyMs: 30_000, timeoutMs: 5_000 } as const

const CheckSection = closed('check', {
  path: optional(
    text(),
    'What is asked for, from the root of the host; where nothing is there, beside /v1 or behind the base URL. /models: the list behind the base URL.',
    { 'x-default': "the preset's, else /models", examples: ['/health'] },
  ),
  every: optional(duration(1), 'Time between two checks.', { default: writeDuration(CHECK_DEFAULTS.everyMs) }),
  timeout: optional(duration(1), 'How long an answer may take.', { default: writeDuration(CHECK_DEFAULTS.timeoutMs) }),
})

/** `check` of an upstream. */
export const CHECK_FIELDS = {
  check: optional(CheckSection, 'A request that asks it now and then how it is.', { 'x-default': 'none' }),
}

/**
 * The active check of an upstream; undefined: none. Its path is from the root of the host, as most servers have their health
 * beside `/v1`; where that path does not exist, it is tried beside the base's `/v1` and behind the base. `/models` is the list behind the
 * base. Reports a path that cannot be asked for.
 */
export function checkFromFile(
  reader: SectionReader,
  { check }: FieldValues<typeof CHECK_FIELDS>,
  baseUrl: string,
  preset: Preset | undefined,
): CheckSettings | undefined {
  if (check === undefined) return undefined
  const written = check.path ?? preset?.facts?.health ?? CHECK_DEFAULTS.path
  const fault = urlPathFault(written)
  if (fault !== undefined) reader.at('check', 'path').report(fault)
  return {
    targets: targetsOf(written, baseUrl, check.path === undefined),
    everyMs: check.every ?? CHECK_DEFAULTS.everyMs,
    timeoutMs: check.timeout ?? CHECK_DEFAULTS.timeoutMs,
  }
}

function targetsOf(path: string, baseUrl: string, isPresets: boolean): readonly string[] {
  const base = (URL.parse(baseUrl)?.pathname ?? '').replace(/\/$/, '')
  const behind = base + path
  if (path === CHECK_DEFAULTS.path) return [behind]
  const beside = base.replace(/\/v\d+\w*$/, '') + path
  return [...new Set(isPresets ? [beside, path, behind] : [path, beside, behind])]
}

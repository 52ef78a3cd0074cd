import type { Preset } from '../presets.ts'
import type { CheckSettings } from '../settings.ts'
import type { UpstreamPart } from './parts.ts'
import type { Path } from './path.ts'
import { urlPathFault } from './path-template.ts'
import { CHECK_DEFAULTS } from './resilience-defaults.ts'
import type { Scope } from './scope.ts'

/**
 * The active check of an upstream, where it has one. Its path is from the root of the host, as most servers have their health beside
 * `/v1`; where nothing is there, it is looked for beside the base's `/v1` and behind the base. `/models` is the list behind the base.
 */
export function takeCheck(
  scope: Scope,
  path: Path,
  { check }: UpstreamPart,
  baseUrl: string,
  preset: Preset | undefined,
): CheckSettings | undefined {
  if (check === undefined) return undefined
  const own = preset?.facts?.health
  const written = check.path ?? own ?? CHECK_DEFAULTS.path
  const fault = urlPathFault(written)
  if (fault !== undefined) scope.add([...path, 'check', 'path'], fault)
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

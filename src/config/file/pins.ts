import type { PinSettings, UpstreamSettings } from '../settings.ts'
import { checkUpstreamName } from './model-settings.ts'
import type { Path } from './path.ts'
import type { Scope } from './scope.ts'

/** An upstream's name, and the number of one of its keys behind `#`. */
const PIN = /^([^#]*)(?:#(.*))?$/

/** The pins of a file: `files: openai`, or `files: openai#2` for the second key of a pool. Reports all that is wrong with them. */
export function toPins(scope: Scope, upstreams: readonly UpstreamSettings[]): Readonly<Record<string, PinSettings>> {
  const pins = Object.entries(scope.config.pins ?? {})
  return Object.fromEntries(
    pins.map(([resource, written]) => [resource, toPin(scope, ['pins', resource], written, upstreams)]),
  )
}

function toPin(scope: Scope, path: Path, written: string, upstreams: readonly UpstreamSettings[]): PinSettings {
  const [, upstream = written, number] = PIN.exec(written) ?? []
  checkUpstreamName(scope, path, upstream)
  if (number === undefined) return { upstream, keyIndex: undefined }
  const keys = upstreams.find(({ name }) => name === upstream)?.keys
  const isNumber = /^[1-9]\d{0,5}$/.test(number)
  if (!isNumber) {
    const cure = 'Write the number of a key behind the "#", from 1, such as openai#2; or the upstream alone.'
    scope.add(path, { wrong: 'names no key', cure })
  } else if (keys !== undefined && Number(number) > keys.length) {
    const cure =
      keys.length === 0 ? 'Name the upstream alone.' : `Use #1${keys.length > 1 ? ` to #${keys.length}` : ''}.`
    const count = keys.length === 1 ? 'one key' : `${keys.length === 0 ? 'no' : keys.length} keys`
    scope.add(path, { wrong: `names a key that is not there: ${upstream} has ${count}`, cure })
  }
  return { upstream, keyIndex: isNumber ? Number(number) - 1 : undefined }
}

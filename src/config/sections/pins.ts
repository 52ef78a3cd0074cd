import { Type } from '@sinclair/typebox'
import { STATEFUL_RESOURCES } from '../../openai/resources.ts'
import { closed, type FieldValues, optional, text } from '../file/schema/fields.ts'
import type { SectionReader } from '../file/section-reader.ts'
import type { UpstreamSettings } from './upstreams/upstream.ts'
import { checkUpstreamName } from './upstreams/upstreams.ts'

/** An upstream, or one of its keys. */
export interface PinSettings {
  readonly upstream: string
  /** From 0; undefined: any. */
  readonly keyIndex: number | undefined
}

const PinsSection = Type.Unsafe<Readonly<Record<string, string>>>(
  closed(
    'pins',
    Object.fromEntries(
      [...STATEFUL_RESOURCES].map((name) => [
        name,
        optional(text(), `The upstream that holds what is below /v1/${name}; #2 behind it: its second key.`, {
          examples: ['openai', 'openai#2'],
        }),
      ]),
    ),
  ),
)

/** `pins` in the file. */
export const PINS_FIELDS = {
  pins: optional(PinsSection, 'Which upstream, or which of its keys, holds the objects of a stateful resource.', {
    examples: [{ files: 'openai' }],
  }),
}

/** An upstream's name, and the number of one of its keys behind `#`. */
const PIN = /^([^#]*)(?:#(.*))?$/

/** The pins by the file: `files: openai`, or `files: openai#2` for the second key of a pool. Reports all their faults. */
export function pinsFromFile(
  reader: SectionReader,
  { pins = {} }: FieldValues<typeof PINS_FIELDS>,
  upstreams: readonly UpstreamSettings[],
): Readonly<Record<string, PinSettings>> {
  return Object.fromEntries(
    Object.entries(pins).map(([resource, written]) => [
      resource,
      pinFromFile(reader.at('pins', resource), written, upstreams),
    ]),
  )
}

function pinFromFile(reader: SectionReader, written: string, upstreams: readonly UpstreamSettings[]): PinSettings {
  const [, upstream = written, number] = PIN.exec(written) ?? []
  checkUpstreamName(reader, upstream)
  if (number === undefined) return { upstream, keyIndex: undefined }
  const keys = upstreams.find(({ name }) => name === upstream)?.keys
  const isNumber = /^[1-9]\d{0,5}$/.test(number)
  if (!isNumber) {
    const cure = 'Write the number of a key behind the "#", from 1, such as openai#2; or the upstream alone.'
    reader.report({ wrong: 'names no key', cure })
  } else if (keys !== undefined && Number(number) > keys.length) {
    const cure =
      keys.length === 0 ? 'Name the upstream alone.' : `Use #1${keys.length > 1 ? ` to #${keys.length}` : ''}.`
    const count = keys.length === 1 ? 'one key' : `${keys.length === 0 ? 'no' : keys.length} keys`
    reader.report({ wrong: `names a key that is not there: ${upstream} has ${count}`, cure })
  }
  return { upstream, keyIndex: isNumber ? Number(number) - 1 : undefined }
}

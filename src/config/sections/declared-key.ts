import { Type } from '@sinclair/typebox'
import { type FieldValues, HIDDEN, optional, text, writeVariable } from '../file/schema/fields.ts'
import type { SectionReader } from '../file/section-reader.ts'
import type { Fault } from '../scalar-kinds.ts'
import type { Secret } from '../secret.ts'
import { secret } from '../text-kinds.ts'

/** A key as the file declares it: the key itself, or its digest. */
export interface DeclaredKey {
  readonly name: string
  readonly secret: Secret | undefined
  /** SHA-256 of the key, in hex. */
  readonly digest: string | undefined
  /** In seconds since 1970. */
  readonly expiresAt: number | undefined
}

/** The names of projects and keys make ids, in which a dot stands between them. */
const NAME = /^[A-Za-z0-9][\w-]{0,63}$/
const DIGEST = /^[0-9a-f]{64}$/i
const TIME = /^\d{4}-\d\d-\d\d(T\d\d:\d\d(:\d\d)?(Z|[+-]\d\d:\d\d))?$/
/** As long as a secret that can't be guessed. */
const KEY_LENGTH_MIN = 16

/** The fields of a key for what it is known by. */
export const SECRET_FIELDS = {
  key: optional(Type.String(), 'The key itself, from a variable.', {
    ...HIDDEN,
    examples: [writeVariable('ALICE_KEY')],
  }),
  sha256: optional(text(), 'In place of the key: its SHA-256, in hex (of the key alone, without a line break).', {
    examples: ['2bb80d537b1da3e38bd30361aa855686bde0eacd7162fef6a25fe97bf527a25b'],
  }),
  expires: optional(text(), 'From then on it is refused: a day (UTC), or a time with its zone.', {
    'x-default': 'never',
    examples: ['2027-06-30', '2027-06-30T18:00:00+02:00'],
  }),
}

type SecretPart = FieldValues<typeof SECRET_FIELDS>

/**
 * A key as the file declares it. `seen` has the keys before it, with their names. Reports a bad name, key, digest or time, and a key that is
 * there twice.
 */
export function keyFromFile(
  reader: SectionReader,
  name: string,
  part: SecretPart,
  seen: Map<string, string>,
): DeclaredKey {
  checkDeclaredName(reader, name)
  const digest = part.sha256?.trim().toLowerCase()
  const key = part.key?.trim()
  if (key !== undefined && digest !== undefined)
    reader.at('sha256').report({ wrong: 'is set, and key too', cure: 'Set one of the two.' }, 'key')
  else if (
    key === undefined &&
    digest === undefined &&
    !reader.at('key').isWritten() &&
    !reader.at('sha256').isWritten()
  )
    reader.report(
      { wrong: 'has neither a key nor its sha256', cure: `Set key: ${writeVariable('NAME')}, or sha256.` },
      'key',
    )
  const fault = keyFault(key) ?? digestFault(digest)
  const at = reader.at(key === undefined ? 'sha256' : 'key')
  if (fault !== undefined) at.report(fault)
  const text = key ?? digest
  const before = text === undefined ? undefined : seen.get(text)
  if (before !== undefined)
    at.report({ wrong: `is that of ${before}, too`, cure: 'Give each its own: a key says who is calling.' })
  if (text !== undefined) seen.set(text, name)
  const parsed = key === undefined ? undefined : secret.parse(key)
  return {
    name,
    secret: parsed?.ok === true ? parsed.value : undefined,
    digest,
    expiresAt: readTime(reader.at('expires'), part.expires),
  }
}

function keyFault(key: string | undefined): Fault | undefined {
  if (key === undefined) return undefined
  const parsed = key === '' ? undefined : secret.parse(key)
  if (parsed?.ok === false) return parsed.fault
  if (key.length >= KEY_LENGTH_MIN) return undefined
  return {
    wrong: `has fewer than ${KEY_LENGTH_MIN} characters`,
    cure: 'Make one with: nexcode keys make, or openssl rand -hex 32',
  }
}

function digestFault(digest: string | undefined): Fault | undefined {
  if (digest === undefined || DIGEST.test(digest)) return undefined
  return { wrong: 'is no SHA-256 in hex', cure: 'Write its 64 digits: printf %s "$KEY" | sha256sum' }
}

/** Reports a name that no id can be made of. */
export function checkDeclaredName(reader: SectionReader, name: string): void {
  if (NAME.test(name)) return
  const cure = 'Use letters, digits, "_" and "-"; a letter or digit first; at most 64 characters.'
  reader.report({ wrong: 'has a name that cannot be used', cure }, 'key')
}

function readTime(reader: SectionReader, written: string | undefined): number | undefined {
  if (written === undefined) return undefined
  const time = TIME.test(written.trim()) ? Date.parse(written.trim()) : Number.NaN
  if (!Number.isNaN(time)) return Math.floor(time / 1000)
  reader.report({ wrong: 'is no time', cure: 'Write 2027-06-30, or 2027-06-30T18:00:00+02:00.' })
  return undefined
}

import { brotliCompressSync, deflateRawSync, deflateSync, gzipSync, zstdCompressSync } from 'node:zlib'
import type { Random } from '../random.ts'
import { encodeUtf7 } from './charsets.ts'
import { disguise } from './disguises.ts'
import { forbidden, insert } from './forbidden.ts'
import type { RequestParts } from './request-parts.ts'

const CHARSETS = [
  'utf-7',
  'UTF-7',
  'utf-16',
  'utf-16le',
  'utf-16be',
  'utf-32',
  'iso-8859-1',
  'cp037',
  'utf-8',
  'us-ascii',
]

function typeOf(charset: string, random: Random): string {
  return random.pick([
    `application/json; charset=${charset}`,
    `application/json;charset="${charset}"`,
    `Application/JSON; Charset=${charset}`,
    `application/json; charset=utf-8; charset=${charset}`,
    `application/json; charset=${charset}; charset=utf-8`,
    `application/json; charset*=utf-8''${charset}`,
    `application/problem+json; charset=${charset}`,
    `text/plain; charset=${charset}`,
    `application/json; a="; charset=${charset}`,
  ])
}

/** A hidden member in UTF-7, or all of the text in a charset that is named, or not. */
export function hideInCharset(parts: RequestParts, random: Random): void {
  const { name, value } = forbidden(random)
  if (random.percent(60)) {
    parts.members.push([
      `"${encodeUtf7(name)}"`,
      value.replace(/"([^"]*)"/g, (_all, text: string) => `"${encodeUtf7(text)}"`),
    ])
    parts.type = typeOf(random.pick(['utf-7', 'UTF-7', 'utf7']), random)
    return
  }
  insert(parts, random, `"${name}"`, value)
  const isNamed = random.percent(60)
  if (isNamed) parts.type = typeOf(random.pick(CHARSETS), random)
  const mark = random.pick(['', '\uFEFF'])
  parts.encodings.push(
    random.pick([
      (bytes) => bytes,
      (bytes) => Buffer.from(mark + bytes.toString(), 'utf16le'),
      (bytes) => Buffer.from(mark + bytes.toString(), 'utf16le').swap16(),
    ]),
  )
}

/** What only some parsers take, behind which another model or number stands. */
export function looseSyntax(parts: RequestParts, random: Random): void {
  const { name, value } = forbidden(random)
  const loose = random.pick<(text: string) => string>([
    (text) => text.replace('{', `{/* x */"${name}":${value},`),
    (text) => text.replace('{', `{'${name}':${value},`),
    (text) => text.replace('{', `{${name}:${value},`),
    (text) => text.replace(/\}$/, `,"${name}":${value},}`),
    (text) => `{"${name}":${value},"model":"cheap"}${text}`,
    (text) => `${text}{"${name}":${value}}`,
    (text) => `${text}\n//`,
    (text) => text.replace('{', `{"x":NaN,"${name}":${value},`),
    (text) => `[${text}]`,
    (text) => `\uFEFF${text.replace('{', `{"${name}":${value},`)}`,
    (text) => `)]}',\n${text}`,
  ])
  parts.rewrites.push(loose)
}

/** A form, or JSON that a form's reader finds fields in. */
export function asForm(parts: RequestParts, random: Random): void {
  const { name, value } = forbidden(random)
  const field = disguise(random, { name, value }, 60)
  const text = value.replaceAll('"', '')
  if (random.percent(50)) {
    parts.form = 'urlencoded'
    parts.type = 'application/x-www-form-urlencoded'
    parts.members.push([field.shown, text])
    return
  }
  parts.type = random.pick(['application/x-www-form-urlencoded', 'application/x-www-form-urlencoded; charset=utf-8'])
  const spelt = random.pick([name, encodeURIComponent(name), `${name}[]`, `[${name}]`, name.replace('_', '.')])
  parts.members.push(['"user"', `"${random.pick(['&', ';', 'a&b=1&'])}${spelt}=${text}${random.pick(['&', ''])}"`])
}

/** In a coding, or in two. */
export function compress(parts: RequestParts, random: Random): void {
  const { name, value } = forbidden(random)
  insert(parts, random, `"${name}"`, value)
  const [coding, encode] = random.pick([
    ['gzip', gzipSync],
    ['GZIP', gzipSync],
    ['x-gzip', gzipSync],
    ['deflate', deflateSync],
    ['deflate', deflateRawSync],
    ['br', brotliCompressSync],
    ['zstd', zstdCompressSync],
    ['identity', (bytes: Buffer) => bytes],
    ['gzip, gzip', (bytes: Buffer) => gzipSync(gzipSync(bytes))],
    ['gzip', (bytes: Buffer) => Buffer.concat([gzipSync(bytes), gzipSync(Buffer.from(' '))])],
  ] as const)
  parts.encodings.push((bytes) => Buffer.from(encode(bytes)))
  parts.headers['Content-Encoding'] = coding
}

/** Bun's own list of names: others throw. */
type Encoding = NonNullable<ConstructorParameters<typeof TextDecoder>[0]>

/**
 * The text of bytes in a charset, as a server that goes by it would decode them; undefined: it does not know it, or fails.
 *
 * @example
 * const text = decodeCharset(bytes, 'utf-7')
 */
export function decodeCharset(bytes: Uint8Array, charset: string): string | undefined {
  const name = charset.trim().toLowerCase()
  if (name === 'utf-7' || name === 'utf7' || name === 'unicode-1-1-utf-7') return decodeUtf7(bytes)
  if (/^utf-?32/.test(name)) return decodeUtf32(bytes, name.endsWith('be'))
  // With a mark in front it says itself which of the two it is.
  if (name === 'utf-16' && bytes[0] === 0xfe && bytes[1] === 0xff) return decodeCharset(bytes, 'utf-16be')
  try {
    return new TextDecoder(name as Encoding).decode(bytes)
  } catch {
    return undefined
  }
}

/** The charset that a JSON text's own first bytes show (RFC 4627 §3), which Python's parser goes by. */
export function charsetShown(bytes: Uint8Array): string {
  const [first = 1, second = 1, third = 1, fourth = 1] = bytes
  if (first === 0xff && second === 0xfe) return third === 0 && fourth === 0 ? 'utf-32le' : 'utf-16le'
  if (first === 0xfe && second === 0xff) return 'utf-16be'
  if (first === 0 && second === 0) return 'utf-32be'
  if (first === 0) return 'utf-16be'
  if (second === 0) return third === 0 ? 'utf-32le' : 'utf-16le'
  return 'utf-8'
}

/** RFC 2152: what stands between `+` and `-` is UTF-16 in base64. */
function decodeUtf7(bytes: Uint8Array): string {
  const text = Buffer.from(bytes).toString('latin1')
  return text.replace(/\+([A-Za-z0-9+/]*)-?/g, (_all, coded: string) => {
    if (coded === '') return '+'
    const decoded = Buffer.from(coded, 'base64')
    return decoded
      .subarray(0, decoded.byteLength & ~1)
      .swap16()
      .toString('utf16le')
  })
}

/** What UTF-7 makes of a text when all of it is hidden. */
export function encodeUtf7(text: string): string {
  return `+${Buffer.from(text, 'utf16le').swap16().toString('base64').replace(/=+$/, '')}-`
}

function decodeUtf32(bytes: Uint8Array, isBigEndian: boolean): string | undefined {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength & ~3)
  let text = ''
  for (let at = 0; at < view.byteLength; at += 4) {
    const code = view.getUint32(at, !isBigEndian)
    if (code > 0x10ffff) return undefined
    text += String.fromCodePoint(code)
  }
  return text
}

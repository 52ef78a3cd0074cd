const STAR = 0x2a

const CODINGS: ReadonlyMap<string, Bun.CompressionFormat> = new Map([
  ['gzip', 'gzip'],
  ['x-gzip', 'gzip'],
  ['deflate', 'deflate'],
  ['br', 'brotli'],
  ['zstd', 'zstd'],
])

/**
 * Hides a secret in an answer's body and headers by stars of the same length. An encoded body is decoded for it,
 * and `headers` are changed to say so.
 *
 * @example
 * return new Response(hideSecret(body, headers, config.upstream.apiKey), { status, headers })
 */
export function hideSecret(
  body: ReadableStream<Uint8Array> | Uint8Array<ArrayBuffer> | null,
  headers: Headers,
  secret: string,
): ReadableStream<Uint8Array> | null {
  const stars = '*'.repeat(secret.length)
  for (const [name, value] of [...headers]) {
    if (value.includes(secret)) headers.set(name, value.replaceAll(secret, stars))
  }
  const stream = body === null ? null : new Response(body).body
  if (stream === null) return null
  const format = CODINGS.get(headers.get('content-encoding')?.trim().toLowerCase() ?? '')
  if (format === undefined) return maskSecret(stream, secret)
  headers.delete('content-encoding')
  headers.delete('content-length')
  return maskSecret(stream.pipeThrough(new DecompressionStream(format)), secret)
}

/** Masks whatever the chunking; the length stays, so that a Content-Length stays true. */
function maskSecret(source: ReadableStream<Uint8Array>, secret: string): ReadableStream<Uint8Array> {
  const needle = new TextEncoder().encode(secret)
  let held: Uint8Array = new Uint8Array()
  return source.pipeThrough(
    new TransformStream<Uint8Array, Uint8Array>({
      transform(chunk, controller) {
        const joined = new Uint8Array(held.byteLength + chunk.byteLength)
        joined.set(held)
        joined.set(chunk, held.byteLength)
        maskIn(joined, needle)
        // The last bytes may be the beginning of the secret: they wait for the next chunk.
        const safe = Math.max(0, joined.byteLength - (needle.byteLength - 1))
        held = joined.subarray(safe)
        if (safe > 0) controller.enqueue(joined.subarray(0, safe))
      },
      flush(controller) {
        if (held.byteLength > 0) controller.enqueue(held)
      },
    }),
  )
}

function maskIn(bytes: Uint8Array, needle: Uint8Array): void {
  const first = needle[0]
  if (first === undefined) return
  for (let at = bytes.indexOf(first); at !== -1; at = bytes.indexOf(first, at + 1)) {
    if (at + needle.byteLength > bytes.byteLength) return
    if (needle.every((byte, index) => bytes[at + index] === byte)) bytes.fill(STAR, at, at + needle.byteLength)
  }
}

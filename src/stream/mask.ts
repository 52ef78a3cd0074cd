import { fromByteString, toByteString } from '../bytes/byte-string.ts'
import type { Secret } from '../config/secret.ts'
import { longestForm, secretForms, withHalves } from '../formats/secret-forms.ts'

/** Puts stars over secrets, in whichever form they are repeated; as many as the bytes that they hide, so that a length stays true. */
export interface Mask {
  readonly text: (text: string) => string
  /** Changes those headers that have a secret in them. */
  readonly headers: (headers: Headers) => void
  /** The same bytes where there is nothing to hide. */
  readonly bytes: (bytes: Uint8Array<ArrayBuffer>) => Uint8Array<ArrayBuffer>
  /** Whatever the chunking. */
  readonly stream: (body: ReadableStream<Uint8Array>) => ReadableStream<Uint8Array>
}

/**
 * Makes what puts stars over some secrets; undefined: there is none to hide.
 *
 * @example
 * const mask = createMask([lane.key])
 * mask?.headers(answer.headers)
 */
export function createMask(secrets: readonly Secret[]): Mask | undefined {
  const texts = withHalves(secrets.map((secret) => secret.reveal()).filter((text) => text !== ''))
  if (texts.length === 0) return undefined
  const forms = texts.flatMap(secretForms).join('|')
  // Without the flag, a test begins at the beginning each time.
  const [any, all] = [new RegExp(forms), new RegExp(forms, 'g')]
  const heldBytes = Math.max(...texts.map(longestForm)) - 1
  const text = (value: string): string => (any.test(value) ? value.replace(all, starsFor) : value)
  const bytes = (given: Uint8Array<ArrayBuffer>): Uint8Array<ArrayBuffer> => {
    const written = toByteString(given)
    const masked = text(written)
    return masked === written ? given : fromByteString(masked)
  }
  return {
    text,
    bytes,
    stream: (body) => maskStream(body, bytes, heldBytes),
    headers(headers) {
      for (const value of headers.values()) if (any.test(value)) return maskHeaders(headers, text)
    },
  }
}

function starsFor(found: string): string {
  return '*'.repeat(found.length)
}

function maskHeaders(headers: Headers, mask: Mask['text']): void {
  const pairs = [...headers]
  for (const [name] of pairs) headers.delete(name)
  // Appended one by one: there may be several cookies.
  for (const [name, value] of pairs) headers.append(name, mask(value))
}

function maskStream(
  source: ReadableStream<Uint8Array>,
  mask: Mask['bytes'],
  heldBytes: number,
): ReadableStream<Uint8Array> {
  let held: Uint8Array = new Uint8Array()
  return source.pipeThrough(
    new TransformStream<Uint8Array, Uint8Array>({
      transform(chunk, controller) {
        const joined = new Uint8Array(held.byteLength + chunk.byteLength)
        joined.set(held)
        joined.set(chunk, held.byteLength)
        const masked = mask(joined)
        // The last bytes may be the beginning of a secret: they wait for the next chunk.
        const safe = Math.max(0, masked.byteLength - heldBytes)
        held = masked.subarray(safe)
        if (safe > 0) controller.enqueue(masked.subarray(0, safe))
      },
      flush(controller) {
        if (held.byteLength > 0) controller.enqueue(held)
      },
    }),
  )
}

/** A JSON body: the value to decide with, and the bytes to send on. */
export interface JsonBody {
  /** The text as plain JSON: what came, or its decoded form where it came with a Content-Encoding. */
  readonly bytes: Uint8Array<ArrayBuffer>
  readonly value: unknown
  /** The body as it came, where `bytes` is its decoded form. */
  readonly encoded: Uint8Array<ArrayBuffer> | undefined
}

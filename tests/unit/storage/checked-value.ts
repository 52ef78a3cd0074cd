const DIGEST_BYTES = 32

/** Random bytes with their own digest in front. */
export function checkedValue(byteLength: number): Uint8Array<ArrayBuffer> {
  const value = new Uint8Array(DIGEST_BYTES + byteLength)
  crypto.getRandomValues(value.subarray(DIGEST_BYTES))
  value.set(digestOf(value.subarray(DIGEST_BYTES)))
  return value
}

/** Whether a value is one of the above, whole. */
export function isChecked(value: Uint8Array): boolean {
  return Buffer.compare(value.subarray(0, DIGEST_BYTES), digestOf(value.subarray(DIGEST_BYTES))) === 0
}

function digestOf(bytes: Uint8Array): Uint8Array {
  return new Bun.CryptoHasher('sha256').update(bytes).digest()
}

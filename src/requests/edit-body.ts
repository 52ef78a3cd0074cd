import { joinInSteps } from '../formats/bytes/join-bytes.ts'
import { applyEdits, type Edit, editedParts } from '../formats/json/edit.ts'
import { inSlices } from '../timing/slices.ts'

/** The copy of a longer body is made in slices: others would wait for it. */
const AT_ONCE_BYTES_MAX = 8 * 1024 * 1024

/**
 * Makes a new body of an old one and its edits: at once, or of more than 8 MiB in slices.
 *
 * @example
 * const body = await editBody(bytes, edits)
 */
export function editBody(
  bytes: Uint8Array<ArrayBuffer>,
  edits: readonly Edit[],
): Uint8Array<ArrayBuffer> | Promise<Uint8Array<ArrayBuffer>> {
  if (bytes.byteLength <= AT_ONCE_BYTES_MAX || edits.length === 0) return applyEdits(bytes, edits)
  return inSlices(joinInSteps(editedParts(bytes, edits)))
}

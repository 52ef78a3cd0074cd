import { Secret } from '../../../src/config/secret.ts'
import { createMask, type Mask } from '../../../src/upstream/mask.ts'

/** The mask over some texts. */
export function maskOf(...texts: readonly string[]): Mask {
  const mask = createMask(texts.map((text) => new Secret(text)))
  if (mask === undefined) throw new Error('there is something to hide')
  return mask
}

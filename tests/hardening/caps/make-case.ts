import { createRandom } from '../random.ts'
import { ATTACKS } from './attacks.ts'
import type { Gateway } from './cap-gateways.ts'
import { plainParts, requestBytes } from './request-parts.ts'

const PLAIN_PERCENT = 8

/** One request of the grammar. */
export interface CapCase {
  readonly id: string
  readonly gateway: Gateway
  readonly attacks: readonly string[]
  readonly bytes: Buffer
}

/** Makes a case: its seed and its id determine it. */
export function makeCase(seed: number, id: string): CapCase {
  const random = createRandom(seed, id)
  const parts = plainParts(random)
  const gateway = random.pick(['everywhere', 'everywhere', 'chats', 'filled', 'llamacpp', 'counted'] as const)
  const count = random.percent(PLAIN_PERCENT) ? 0 : random.pick([1, 1, 1, 2, 2, 3])
  const attacks = Array.from({ length: count }, () => random.pick(ATTACKS))
  for (const { change } of attacks) change(parts, random)
  return { id, gateway, attacks: attacks.map(({ name }) => name), bytes: requestBytes(parts, id) }
}

/** The first so many. */
export function makeCases(seed: number, count: number): readonly CapCase[] {
  return Array.from({ length: count }, (_none, number) => makeCase(seed, `c-${number + 1}`))
}

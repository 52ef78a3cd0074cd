import { NO_USAGE, type Usage } from '../../openai/usage/usage.ts'
import type { Booking } from '../records.ts'

/** No name is longer in a record that would be too long otherwise. */
const NAME_CHARS_MAX = 48

/** Writes a booking as JSON. */
export function stringifyBooking(booking: Booking): string {
  return JSON.stringify(booking)
}

/** Writes a booking as JSON that is short whatever its names are: they are cut off, and what is not used is left out. */
export function stringifyShortBooking({ usage, ...booking }: Booking): string {
  const used = Object.fromEntries(Object.entries(usage).filter(([, count]) => count !== 0))
  return JSON.stringify({ ...booking, usage: used }, (name, value: unknown) =>
    typeof value === 'string' && name !== 'id' ? value.slice(0, NAME_CHARS_MAX) : value,
  )
}

/** Reads a booking that one of these has written; undefined: it is none. */
export function parseBooking(json: string): Booking | undefined {
  try {
    const { usage, ...booking } = JSON.parse(json) as Booking & { readonly usage: Partial<Usage> }
    return { ...booking, usage: { ...NO_USAGE, ...usage } }
  } catch {
    return undefined
  }
}

/** What is booked of a call whose process was gone before its end. `seen`: what it is known to have cost, in nano-dollars. */
export function interruptedBooking(booking: Booking, seen: bigint): Booking {
  return { ...booking, cost: Number(seen), outcome: 'interrupted' }
}

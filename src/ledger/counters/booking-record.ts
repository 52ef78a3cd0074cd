import { NO_USAGE, type Usage } from '../../openai/usage/usage.ts'
import type { Booking } from '../records.ts'

/** No name is longer in a record that would be too long otherwise. */
const NAME_CHARS_MAX = 48

/** Texts of bookings that have ended: each is written beside its reservation, and into the books. */
const texts = new WeakMap<Booking, string>()

/**
 * Writes a booking as JSON: the values of `rowOf`, which take half the bytes of an object, and half the time. The text of one that goes into the
 * books is made once.
 */
export function stringifyBooking(booking: Booking): string {
  const made = texts.get(booking)
  if (made !== undefined) return made
  const text = stringifyOnce(booking)
  texts.set(booking, text)
  return text
}

/** Writes a booking that is written only once, likewise. */
export function stringifyOnce(booking: Booking): string {
  return JSON.stringify(rowOf(booking))
}

/** Writes bookings for `parseBookings`. */
export function stringifyBookings(bookings: readonly Booking[]): string {
  return `[${bookings.map(stringifyBooking).join(',')}]`
}

/** Writes a booking as JSON that is short whatever its names are: they are cut off. */
export function stringifyShortBooking(booking: Booking): string {
  return JSON.stringify(rowOf(booking), (name, value: unknown) =>
    typeof value === 'string' && name !== ID_PLACE ? value.slice(0, NAME_CHARS_MAX) : value,
  )
}

/** Reads a booking that one of these has written, in this version or in one before it; undefined: it is none. */
export function parseBooking(json: string): Booking | undefined {
  try {
    return bookingOf(JSON.parse(json) as Written)
  } catch {
    return undefined
  }
}

/** Reads bookings that `stringifyBookings` has written. Throws where it has not. */
export function parseBookings(json: string): readonly Booking[] {
  return (JSON.parse(json) as readonly Written[]).map(bookingOf)
}

/**
 * What is booked of a call whose process was gone before its end. `seen`: what it is known to have cost, in nano-dollars; of one that has cost
 * nothing nobody knows that it was sent: it has used nothing.
 */
export function interruptedBooking(booking: Booking, seen: bigint): Booking {
  const usage = seen === 0n ? NO_USAGE : booking.usage
  return { ...booking, usage, cost: Number(seen), outcome: 'interrupted' }
}

/** A booking as it is written: its values by their places; as an object, as the first version wrote it. */
type Written = Row | (Omit<Booking, 'usage'> & { readonly usage: Partial<Usage> })
type Row = readonly (string | number | boolean | null)[]

const ID_PLACE = '0'
/** The values of a booking by their places. New ones come at the end, and are 0 for who reads what an older version wrote. */
function rowOf(booking: Booking): Row {
  const { usage } = booking
  return [
    booking.id,
    booking.at,
    booking.requestId,
    booking.keyId,
    booking.projectId,
    booking.model,
    booking.servedModel,
    booking.endpoint,
    booking.upstream,
    booking.tier,
    booking.isBatch,
    booking.cost,
    booking.saved,
    booking.pricedBy,
    booking.isEstimated,
    booking.outcome,
    booking.cache ?? null,
    booking.status,
    usage.inputText,
    usage.inputAudio,
    usage.inputImage,
    usage.inputCachedText,
    usage.inputCachedAudio,
    usage.inputCachedImage,
    usage.inputCacheWrite,
    usage.inputCacheWrite1h,
    usage.inputCacheWrite12h,
    usage.outputText,
    usage.outputAudio,
    usage.outputImage,
    usage.outputReasoning,
    usage.images,
    usage.seconds,
    usage.characters,
    usage.webSearches,
    usage.fileSearches,
    usage.codeSessions,
    booking.isObject === true ? 1 : 0,
  ]
}

function bookingOf(written: Written): Booking {
  if (!isRow(written)) return { ...written, usage: { ...NO_USAGE, ...written.usage } }
  const cache = written[16]
  const isObject = written[37] === 1
  // Each part by its place: what is put together by names takes five times as long.
  const booking = {
    id: written[0],
    at: written[1],
    requestId: written[2],
    keyId: written[3],
    projectId: written[4],
    model: written[5],
    servedModel: written[6],
    endpoint: written[7],
    upstream: written[8],
    tier: written[9],
    isBatch: written[10],
    cost: written[11],
    saved: written[12],
    pricedBy: written[13],
    isEstimated: written[14],
    outcome: written[15],
    status: written[17],
    usage: {
      inputText: written[18],
      inputAudio: written[19],
      inputImage: written[20],
      inputCachedText: written[21],
      inputCachedAudio: written[22],
      inputCachedImage: written[23],
      inputCacheWrite: written[24],
      inputCacheWrite1h: written[25],
      inputCacheWrite12h: written[26],
      outputText: written[27],
      outputAudio: written[28],
      outputImage: written[29],
      outputReasoning: written[30],
      images: written[31],
      seconds: written[32],
      characters: written[33],
      webSearches: written[34],
      fileSearches: written[35],
      codeSessions: written[36],
    },
  } as unknown as Booking
  if (typeof cache !== 'string' && !isObject) return booking
  return { ...booking, ...(typeof cache === 'string' && { cache }), ...(isObject && { isObject }) }
}

function isRow(written: Written): written is Row {
  return Array.isArray(written)
}

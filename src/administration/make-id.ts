const DIGITS = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz'
/** So many ids can be told apart by time within a millisecond. */
const PER_MS = 1024
const TIME_CHARS = 9
const RANDOM_CHARS = 15
/** Bytes from here on would favour some digits. */
const EVEN_BYTES = 248

let last = 0

/**
 * Makes an id: its prefix, the time, and random characters. Ids that one process makes grow, so that objects of one second are listed in
 * the order in which they were made.
 *
 * @example
 * const id = makeId('proj_', deps)
 */
export function makeId(
  prefix: string,
  { now, random }: { readonly now: () => number; readonly random: (bytes: Uint8Array<ArrayBuffer>) => Uint8Array },
): string {
  last = Math.max(last + 1, now() * PER_MS)
  let time = ''
  for (let rest = last; time.length < TIME_CHARS; rest = Math.floor(rest / DIGITS.length))
    time = DIGITS.charAt(rest % DIGITS.length) + time
  let salt = ''
  while (salt.length < RANDOM_CHARS) {
    for (const byte of random(new Uint8Array(RANDOM_CHARS)))
      if (byte < EVEN_BYTES && salt.length < RANDOM_CHARS) salt += DIGITS.charAt(byte % DIGITS.length)
  }
  return `${prefix}${time}${salt}`
}

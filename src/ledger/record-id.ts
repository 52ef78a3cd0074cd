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

/**
 * When an id of `makeId` was made, in seconds since 1970; undefined: it is none.
 *
 * @example
 * timeOfId('proj_8QG1FMoXQJypmmQrnu3dls2A') // 1796086690
 */
export function timeOfId(id: string): number | undefined {
  const time = new RegExp(`[_-]([0-9A-Za-z]{${TIME_CHARS}})[0-9A-Za-z]{${RANDOM_CHARS}}$`).exec(id)?.[1]
  if (time === undefined) return undefined
  let number = 0
  for (const digit of time) number = number * DIGITS.length + DIGITS.indexOf(digit)
  return Math.floor(number / PER_MS / 1000)
}

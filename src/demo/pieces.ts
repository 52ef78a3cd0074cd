import { splitTokens } from './tokens.ts'

/** Takes the first of each list, then the second of each, and so on. */
export function interleaved<T>(lists: readonly (readonly T[])[]): T[] {
  const longest = lists.reduce((most, list) => Math.max(most, list.length), 0)
  return Array.from({ length: longest }, (_, at) => lists.flatMap((list) => list.slice(at, at + 1))).flat()
}

/** The JSON of a call's arguments in pieces of a few characters, so that clients have to put them together. */
export function argumentPieces(json: string): string[] {
  return splitTokens(json).flatMap((token) => token.match(/.{1,8}/gsu) ?? [])
}

import type { Sha256 } from '../formats/bytes/digest.ts'
import type { Cassette } from './cassette.ts'
import { cassetteName, cassetteNumber } from './cassette-name.ts'
import type { CassetteFolder } from './folder.ts'

/** Writes cassettes into a folder, and never over one that is there. */
export interface CassetteWriter {
  /** The next number: taken when a request comes, so that files are in the order of the requests. */
  readonly reserve: () => number
  /** Writes a cassette, under the next free number where its own has been taken meanwhile. Gives the file's name. */
  readonly write: (number: number, cassette: Cassette) => Promise<string>
}

/**
 * Opens a folder to write cassettes: numbers go on behind those that are there. Rejects with the system's error where nothing
 * can be written there, before anybody relies on it.
 *
 * @example
 * const writer = await openWriter(folder, sha256)
 * const name = await writer.write(writer.reserve(), cassette)
 */
export async function openWriter(folder: CassetteFolder, sha256: Sha256): Promise<CassetteWriter> {
  const numbers = (await folder.list()).map((name) => cassetteNumber(name) ?? 0)
  await folder.probe()
  let last = numbers.reduce((highest, number) => Math.max(highest, number), 0)
  const reserve = (): number => {
    last += 1
    return last
  }
  return {
    reserve,
    async write(number, cassette) {
      const text = renderCassette(cassette)
      for (let free = number; ; free = reserve()) {
        const name = cassetteName(free, cassette.request, sha256)
        if (await folder.create(name, text)) return name
      }
    },
  }
}

/** The text of a cassette's file. */
export function renderCassette(cassette: Cassette): string {
  return `${JSON.stringify(cassette, undefined, 2)}\n`
}

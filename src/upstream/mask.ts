import type { Secret } from '../config/secret.ts'
import { createStars, type Stars } from './stars.ts'

/** Hides what of ours is sent with a call, should the upstream repeat it. */
export interface Mask {
  readonly text: (text: string) => string
  /** Changes those headers that have a secret in them; one whose name has goes. */
  readonly headers: (headers: Headers) => void
  /** Over all of them. */
  readonly stars: Stars
}

/**
 * Makes what puts stars over some secrets; undefined: there is none to hide.
 *
 * @example
 * const mask = createMask([deployment.key])
 * mask?.headers(answer.headers)
 */
export function createMask(secrets: readonly Secret[]): Mask | undefined {
  const texts = secrets.map((secret) => secret.reveal()).filter((text) => text !== '')
  if (texts.length === 0) return undefined
  const stars = createStars(texts)
  const unlikely = texts.filter((text) => UNLIKELY.test(text))
  const inNames = unlikely.length === 0 ? undefined : createStars(unlikely)
  return {
    text: stars.text,
    stars,
    headers(headers) {
      for (const [name, value] of headers) {
        if (stars.isIn(value) || inNames?.isInName(name) === true) return maskHeaders(headers, stars, inNames)
      }
    },
  }
}

/** What is shorter, or has no digit and is not long, may be a word that is in a header's name: `ollama`, `request`. */
const UNLIKELY = /^(?=.*\d).{16,}$|^.{32,}$/s

function maskHeaders(headers: Headers, stars: Stars, inNames: Stars | undefined): void {
  const pairs = [...headers]
  for (const [name] of pairs) headers.delete(name)
  // Appended one by one: there may be several cookies.
  for (const [name, value] of pairs) if (inNames?.isInName(name) !== true) headers.append(name, stars.text(value))
}

import type { Random } from '../random.ts'

const escaped = (char: string): string => `%${char.charCodeAt(0).toString(16).padStart(2, '0')}`

function atRandomLetter(path: string, random: Random, change: (letter: string) => string): string {
  const letters = [...path].flatMap((char, at) => (/[a-z]/i.test(char) && at > 3 ? [at] : []))
  const at = random.pick(letters)
  return path.slice(0, at) + change(path[at] ?? '') + path.slice(at + 1)
}

/** How a path can be written so that some server still takes it for itself. */
const SPELLINGS: readonly ((path: string, random: Random) => string)[] = [
  (path, random) => atRandomLetter(path, random, escaped),
  (path, random) =>
    atRandomLetter(path, random, (letter) => escaped(escaped(letter)[0] ?? '') + escaped(letter).slice(1)),
  (path, random) => atRandomLetter(path, random, (letter) => letter.toUpperCase()),
  (path, random) => atRandomLetter(path, random, (letter) => `%u00${letter.charCodeAt(0).toString(16)}`),
  (path) => path.toUpperCase().replace('/V1', '/v1'),
  (path) => `${path}/`,
  (path) => `${path}//`,
  (path) => path.replace('/v1/', '/v1//'),
  (path) => path.replace('/v1/', '//v1/'),
  (path) => path.replace('/v1/', '/v1/v1/'),
  (path) => path.replace('/v1/', '/v1/openai/'),
  (path) => path.replace('/v1/', '/v1/beta/'),
  (path) => path.replace('/v1/', '/v1/inference/v1/'),
  (path) => `${path}/batch`,
  (path) => path.replace('/v1/', '/v1/./'),
  (path) => path.replace('/v1/', '/v1/x/../'),
  (path) => path.replace('/v1/', '/v1/x/%2e%2e/'),
  (path) => path.replace(/\/(?=[^/]*$)/, '\\'),
  (path) => path.replace(/\/(?=[^/]*$)/, '%5c'),
  (path) => path.replace(/\/(?=[^/]*$)/, '%2f'),
  (path) => path.replace(/\/(?=[^/]*$)/, ';x=1/'),
  (path) => `${path};x=1`,
  (path) => `${path}.`,
  (path) => `${path}%20`,
  (path) => `${path}%00`,
  (path) => `${path}.json`,
  (path) => `${path}::$DATA`,
  (path) => `${path}%3b`,
  (path) => `${path}%3fx`,
  (path) => path.replace('/v1/', '/'),
]

/**
 * Writes a path in another way, or in two other ways at once.
 *
 * @example
 * const path = spellPath('/v1/chat/completions', random)
 */
export function spellPath(path: string, random: Random): string {
  const once = random.pick(SPELLINGS)(path, random)
  return random.percent(20) ? random.pick(SPELLINGS)(once, random) : once
}

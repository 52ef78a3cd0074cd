import type { Random } from '../random.ts'

const NAMES = [
  'model',
  'stream',
  'messages',
  'n',
  '__proto__',
  'constructor',
  '',
  'ü',
  '😀',
  'a"b',
  '\\',
  'toString',
  '7',
]
const SPACES = ['', '', '', '', ' ', '\n\t', '\r\n  ', ' '.repeat(70)]
const SCALARS = ['null', 'true', 'false', '0', '-0', '1.50', '1e400', '9007199254740993', '1E+2', '-12.5e-3', '70']
const PIECES = [
  ...[
    'a',
    'model',
    '"',
    '\\',
    '\\"',
    '}',
    ']',
    '{',
    '[',
    ',',
    ':',
    '\n',
    '\u0000',
    '\u007f',
    'é',
    '漢',
    '😀',
    '\ud800',
  ],
  ...['\udc00', '\u2028', '","model":"other', '\\\\', 'x'.repeat(63), 'y'.repeat(64), 'z'.repeat(200), '/'],
]

/** Makes the text of any JSON object: odd white space, escapes, numbers and names, names that occur twice, long strings, deep values. */
export function randomObject(random: Random): string {
  return random.pick(SPACES) + objectText(random, 0) + random.pick(SPACES)
}

function objectText(random: Random, depth: number): string {
  const members = Array.from({ length: random.below(depth === 0 ? 7 : 3) }, () => {
    const name = random.percent(85) ? random.pick(NAMES) : someText(random)
    return [stringText(name, random), ':', valueText(random, depth + 1), ''].join(random.pick(SPACES))
  })
  return `{${random.pick(SPACES)}${members.join(`,${random.pick(SPACES)}`)}}`
}

function valueText(random: Random, depth: number): string {
  const kind = random.below(10)
  if (kind < 4) return random.pick(SCALARS)
  if (kind < 7 || depth > 6) return stringText(someText(random), random)
  if (kind === 7) return objectText(random, depth)
  if (kind === 8 && random.percent(5)) return '['.repeat(300) + ']'.repeat(300)
  const items = Array.from({ length: random.below(4) }, () => valueText(random, depth + 1) + random.pick(SPACES))
  return `[${random.pick(SPACES)}${items.join(',')}]`
}

/** A text of a few pieces; one in thirty is longer than what is parsed of a member. */
function someText(random: Random): string {
  const repeats = random.below(30) === 0 ? 1 + random.below(12) : 1
  return Array.from({ length: random.below(6) }, () => random.pick(PIECES))
    .join('')
    .repeat(repeats)
}

/** A string of JSON with some of its characters escaped where they need not be. */
function stringText(text: string, random: Random): string {
  if (random.percent(60)) return JSON.stringify(text)
  let written = ''
  for (let at = 0; at < text.length; at += 1) {
    const unit = text.charCodeAt(at)
    const isHalf = unit >= 0xd800 && unit <= 0xdfff
    const isSpelt = isHalf || random.percent(20)
    written += isSpelt ? `\\u${unit.toString(16).padStart(4, '0')}` : JSON.stringify(text.charAt(at)).slice(1, -1)
  }
  return `"${written.replaceAll('/', random.pick(['/', '\\/']))}"`
}

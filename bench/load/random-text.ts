/** Picks numbers that look random and are the same in each run. */
export class SeededRandom {
  #state: number

  constructor(seed: number) {
    this.#state = seed >>> 0
  }

  /** A whole number from 0 to below `limit` (xorshift32). */
  below(limit: number): number {
    let state = this.#state === 0 ? 0x9e3779b9 : this.#state
    state ^= state << 13
    state ^= state >>> 17
    state ^= state << 5
    this.#state = state >>> 0
    return this.#state % limit
  }

  pick<Item>(items: readonly Item[]): Item {
    return items[this.below(items.length)] as Item
  }
}

const WORDS =
  `time year people way day man thing woman life child world school state family student group country problem hand part place
case week company system program question work number night point home water room mother area money story fact month lot right
study book eye job word business issue side kind head house service friend father power hour game line end member law car city
name team minute idea body information back parent face others level office door health person art war history party result
change morning reason research girl guy moment air teacher force education foot boy age policy process music market sense
is was has had can will would could should may of in to for with on at from by about as into like through after over between
the the the the a a an this that these which who when where while because and and or but so however although early large small
old new good high different long little important public young same able`.split(/\s+/)

const CHINESE =
  '的一是在不了有和人这中大为上个国我以要他时来用们生到作地于出就分对成会可主发年动同工也能下过子说产种面而方后多定行学法所民得经十三之进着等部度家电力里如水化高自二理起小物现实加量都两体制机当使点从业本去把性好应开它合还因由其些然前外天政四日那社义事平形相全表间样与关各重新线内数正心反你明看原又么利比或但质气第向道命此变条只没结解问意建月公无系军很情者最立代想已通并提直题党程展五果料象员革位入常文总次品式活设及管特件长求老头基资边流路级少图山统接知较将组见计别她手角期根论运农指几九区强放决西被干做必战先回则任取据处理世车'

/** English sentences in paragraphs, about as long as asked for (at most a sentence more), ASCII only. */
export function makeProse(random: SeededRandom, length: number): string {
  let text = ''
  while (text.length < length) {
    const words = Array.from({ length: 6 + random.below(14) }, () => random.pick(WORDS))
    const sentence = words.join(' ')
    const comma = random.below(3) === 0 ? `, and ${random.pick(WORDS)}` : ''
    text += `${sentence[0]?.toUpperCase()}${sentence.slice(1)}${comma}.${random.below(6) === 0 ? '\n\n' : ' '}`
  }
  return text
}

/** Chinese sentences: `length` in UTF-16 units, three bytes of UTF-8 each. */
export function makeChinese(random: SeededRandom, length: number): string {
  const characters = [...CHINESE]
  let text = ''
  while (text.length < length) {
    const clause = () => Array.from({ length: 4 + random.below(9) }, () => random.pick(characters)).join('')
    text += `${clause()},${clause()}。${random.below(8) === 0 ? '\n' : ''}`
  }
  return text
}

const NAMES = [
  'items',
  'user',
  'config',
  'index',
  'entry',
  'buffer',
  'token',
  'path',
  'name',
  'count',
  'client',
  'rows',
]
const CALLS = ['parse', 'fetch', 'format', 'append', 'lookup', 'join', 'write', 'check', 'load', 'open']

/**
 * Lines of code in a language with braces, half of them indented with tabs, with comments between. Seven bytes in a hundred of its JSON
 * begin an escape: source trees have 2 (TypeScript with single quotes) to 9 (Go), files of JSON 12.
 */
export function makeCode(random: SeededRandom, length: number): string {
  const name = () => random.pick(NAMES)
  const call = () => random.pick(CALLS)
  const lines: readonly (() => string)[] = [
    () => `const ${name()} = ${call()}(${name()}, "${name()}")`,
    () => `if (${name()} === "${name()}" || !${name()}.${call()}("${name()}/${name()}")) {`,
    () => `\treturn { "${name()}": ${name()}, "${name()}": "${random.pick(WORDS)}" }`,
    () => '}',
    () => `\t\tthrow new Error("${random.pick(WORDS)} ${random.pick(WORDS)}: " + ${name()}.${call()}(${name()}))`,
    () => `// ${makeProse(random, 60).trim().replaceAll('\n', ' ')}`,
    () =>
      `const ${name()} = await ${call()}(${name()}.${call()}(${name()}), ${name()} + ${random.below(1000)}, '${name()}')`,
    () => `for (const ${name()} of ${name()}.${call()}("\\n")) {`,
    () => `\t${name()}.${call()}(${name()}[${random.below(100)}] ?? "", { ${name()}: true })`,
    () => '',
    () => `export function ${call()}(${name()}: string, ${name()}: number): string[] {`,
  ]
  let text = ''
  while (text.length < length) text += `${random.pick(['\t', '  ']).repeat(random.below(3))}${random.pick(lines)()}\n`
  return text
}

import type { Random } from '../random.ts'
import { disguise } from './disguises.ts'
import { CAP_WORDS, COUNTS, insert, NUMBERS, WRAPPERS } from './forbidden.ts'
import type { RequestParts } from './request-parts.ts'

/** Puts it where a server may look for it and a reader of names alone may not. */
export function within(parts: RequestParts, random: Random): void {
  const word = random.pick(CAP_WORDS)
  const inner = `{"${word}":${random.pick(NUMBERS)}}`
  const [name, value] = random.pick([
    [random.pick(WRAPPERS), inner],
    [random.pick(WRAPPERS), JSON.stringify(inner)],
    [random.pick(WRAPPERS), `{"${random.pick(WRAPPERS)}":${inner},"${word}":1}`],
    ['models', '["dear"]'],
    ['reasoning', `{"max_tokens":${random.pick(NUMBERS)}}`],
    ['__proto__', inner],
    ['thinking', `{"budget_tokens":${random.pick(NUMBERS)}}`],
  ] as const)
  insert(parts, random, `"${name}"`, value)
}

/** Several answers, or several prompts, to one request. */
export function multiply(parts: RequestParts, random: Random): void {
  insert(parts, random, '"max_tokens"', random.pick(['100', '60', '1']))
  const count = random.pick([
    '2',
    '128',
    '1.5',
    '1e400',
    '"3"',
    'true',
    '0',
    '-1',
    '-0',
    '5e2',
    '0.5',
    '"9e-1"',
    '[7]',
    'null',
  ])
  const [name, value] = random.pick([
    [random.pick(COUNTS), count],
    [random.pick(COUNTS), count],
    ['prompt', '["a","b","c"]'],
    ['prompt', '[[1,2],[3]]'],
    ['prompt', '[1,2,3]'],
    ['messages', '[[{"role":"user"}],[{"role":"user"}]]'],
    [random.pick(WRAPPERS), `{"${random.pick(COUNTS)}":${count}}`],
  ] as const)
  const { shown, text } = disguise(random, { name, value }, 30)
  insert(parts, random, shown, text)
}

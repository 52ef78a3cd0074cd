import { type CapWords, capWordsOf, OPENAI_WORDS, OTHER_WORDS } from '../src/config/providers/cap-words.ts'
import { PRESETS } from '../src/config/providers/presets.ts'

/** The words for the cap on tokens as a Markdown table, for docs/parameters.md. */
export function renderCapWords(): string {
  const head = ['Preset', 'The cap', 'For thinking, or at least', 'How many answers']
  const rows = [...PRESETS.values()].flatMap(({ name }) => {
    const words = capWordsOf(name)
    if (words === undefined) return []
    const own: CapWords = {
      ...words,
      caps: words.caps.filter((word) => !OPENAI_WORDS.caps.includes(word)),
      budgets: words.budgets,
      counts: words.counts.filter((word) => !OPENAI_WORDS.counts.includes(word)),
    }
    return own.caps.length + own.budgets.length + own.counts.length === 0 ? [] : [rowOf(`\`${name}\``, own)]
  })
  return [head, head.map(() => '---'), rowOf('every one', OPENAI_WORDS), ...rows, rowOf('none', OTHER_WORDS)]
    .map((cells) => `| ${cells.join(' | ')} |\n`)
    .join('')
}

function rowOf(name: string, { caps, budgets, counts }: CapWords): readonly string[] {
  return [name, ...[caps, budgets, counts].map((words) => words.map((word) => `\`${word}\``).join(', '))]
}

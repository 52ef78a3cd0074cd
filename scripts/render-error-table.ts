import { ERROR_CATALOGUE } from '../src/openai/error-catalogue.ts'
import type { ErrorEntry } from '../src/openai/error-entry.ts'

/**
 * The error catalogue as a Markdown table, for docs/errors.md.
 *
 * @example
 * const table = renderErrorTable()
 */
export function renderErrorTable(): string {
  const head = ['In the log', 'Status', '`type`', '`code`', 'Message', 'What to do']
  const rows = Object.entries<ErrorEntry>(ERROR_CATALOGUE)
    .sort(([, left], [, right]) => left.status - right.status)
    .map(([kind, entry]) => [
      `\`${kind}\``,
      String(entry.status),
      `\`${entry.type}\``,
      `\`${entry.code}\``,
      firstSentence(entry.message),
      entry.cure,
    ])
  return [head, head.map(() => '---'), ...rows].map((cells) => `| ${cells.map(escapeCell).join(' | ')} |\n`).join('')
}

/** OpenAI's messages run to several sentences; the first one is enough to recognise them by. */
function firstSentence(message: string): string {
  return /^.*?[.?!](?=\s|$)/.exec(message)?.[0] ?? message
}

function escapeCell(text: string): string {
  return text.replaceAll('|', '\\|')
}

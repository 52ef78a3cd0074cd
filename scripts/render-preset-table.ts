import { PRESETS } from '../src/config/presets.ts'

/** The presets as a Markdown table, for docs/routing.md. */
export function renderPresetTable(): string {
  const head = ['Preset', 'For', 'Base URL', 'Key']
  const rows = [...PRESETS.values()].map(({ name, title, baseUrl, keyHeader, needsKey, source }) => {
    const key = keyHeader === 'authorization' ? '`Authorization: Bearer`' : `\`${keyHeader}\``
    return [
      `\`${name}\``,
      `[${title}](${source})`,
      baseUrl === undefined ? 'yours' : `\`${baseUrl}\``,
      needsKey ? key : 'none needed',
    ]
  })
  return [head, head.map(() => '---'), ...rows].map((cells) => `| ${cells.join(' | ')} |\n`).join('')
}

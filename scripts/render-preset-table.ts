import { PRESETS } from '../src/config/providers/presets.ts'

/** The presets as a Markdown table, for docs/routing.md. */
export function renderPresetTable(): string {
  const head = ['Preset', 'For', 'Base URL', 'Key']
  const rows = [...PRESETS.values()].map(
    ({ name, title, baseUrl, keyHeader, anthropicKeyHeader, needsKey, source }) => {
      const usual = keyHeader === 'authorization' ? '`Authorization: Bearer`' : `\`${keyHeader}\``
      const key =
        anthropicKeyHeader === undefined
          ? usual
          : `${usual}; \`${anthropicKeyHeader}\` for [messages](anthropic-messages.md)`
      return [
        `\`${name}\``,
        `[${title}](${source})`,
        baseUrl === undefined ? 'yours' : `\`${baseUrl}\``,
        needsKey ? key : 'none needed',
      ]
    },
  )
  return [head, head.map(() => '---'), ...rows].map((cells) => `| ${cells.join(' | ')} |\n`).join('')
}

/** The facts about servers, for docs/presets.md: one section each. */
export function renderServerFacts(): string {
  const sections = [...PRESETS.values()].flatMap(({ name, title, source, facts }) => {
    if (facts === undefined) return []
    const { seen, health, models, servesAnyModel, usage, lacks, notes } = facts
    const unknown = servesAnyModel ? 'answered for by the one that it has' : 'refused'
    const left = [
      ...(lacks?.nulls === true ? ['every parameter that is `null`'] : []),
      ...Object.entries(lacks?.known ?? {}).map(([endpoint, names]) => {
        return `at \`${endpoint}\`, every parameter but ${names.map((one) => `\`${one}\``).join(', ')}`
      }),
    ]
    const lines = [
      `Seen with: ${seen}`,
      `Health: ${health === undefined ? 'none but its models' : `\`${health}\`, beside \`/v1\``}`,
      `Models: ${models}. A model that it does not have is ${unknown}`,
      `Usage in a stream: ${usage}`,
      `Left out of its requests: ${left.length === 0 ? 'nothing' : left.join('; ')}`,
      ...notes,
    ]
    return [
      `## \`${name}\`: [${title}](${source})\n\n${lines.map((line) => `- ${line.replace(/\.$/, '')}\n`).join('')}`,
    ]
  })
  return sections.join('\n')
}

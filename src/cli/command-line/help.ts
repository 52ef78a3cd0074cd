import { ENV_ROWS } from '../../config/env.ts'
import type { EnvRow } from '../../config/env-reader.ts'
import { describeVariable, renderEnvHelp } from '../../config/help-text.ts'
import type { Command } from './command.ts'
import { COMMANDS } from './commands.ts'
import { type Option, optionOf } from './options.ts'

const SUMMARY_COLUMN = 26

/**
 * Renders `nexcode --help`: every command, and every variable.
 *
 * @example
 * process.stdout.write(renderHelp(VERSION))
 */
export function renderHelp(version: string): string {
  return `NexCode ${version}: an OpenAI-compatible gateway in one binary

${renderCommandList()}
  nexcode help COMMAND    more about one of them; nexcode help VARIABLE about a variable
  nexcode --help | --version

Exit codes
  0 all is well   1 it did not work, or is refused   2 the configuration or the command line is not valid

Configuration, by environment
${renderEnvHelp()}
`
}

/**
 * Renders the list of commands, each with its effect.
 *
 * @example
 * process.stderr.write(renderCommandList())
 */
export function renderCommandList(): string {
  const lines = [...COMMANDS.values()].flatMap(({ usage, summary }) => {
    const forms = usage.map((form) => `  nexcode ${form}`)
    const last = forms.at(-1) ?? ''
    if (last.length < SUMMARY_COLUMN) return [...forms.slice(0, -1), last.padEnd(SUMMARY_COLUMN) + summary]
    return [...forms, ' '.repeat(SUMMARY_COLUMN) + summary]
  })
  return `Usage\n${lines.join('\n')}\n`
}

/**
 * Renders `nexcode help COMMAND`, in about ten lines.
 *
 * @example
 * process.stdout.write(renderCommandHelp(command))
 */
export function renderCommandHelp({ usage, summary, about, options, examples }: Command): string {
  const forms = options.map((name) => ({ form: formOf(name, optionOf(name)), doc: optionOf(name).doc }))
  const column = Math.max(0, ...forms.map(({ form }) => form.length)) + 4
  return [
    ...usage.map((form) => `nexcode ${form}`),
    '',
    `  ${summary[0]?.toUpperCase()}${summary.slice(1)}.`,
    ...about.map((line) => `  ${line}`),
    ...(forms.length > 0 ? ['', ...forms.map(({ form, doc }) => `  ${form}`.padEnd(column) + doc)] : []),
    '',
    ...examples.map((line) => `  $ ${line}`),
    '',
  ].join('\n')
}

/**
 * The text of `nexcode help version`.
 *
 * @example
 * process.stdout.write(VERSION_HELP)
 */
export const VERSION_HELP = `nexcode version

  Say which version this is, and do nothing else. The same: nexcode --version, nexcode -v

  $ nexcode version
`

/**
 * Renders `nexcode help VARIABLE`; undefined: there is no such variable.
 *
 * @example
 * const text = renderVariableHelp('PORT')
 */
export function renderVariableHelp(name: string): string | undefined {
  const row: EnvRow | undefined = ENV_ROWS.find((one) => one.name === name.toUpperCase())
  return row === undefined ? undefined : describeVariable(row)
}

function formOf(name: string, { short, value }: Option): string {
  return `--${name}${value === undefined ? '' : ` ${value}`}${short === undefined ? '' : ` (-${short})`}`
}

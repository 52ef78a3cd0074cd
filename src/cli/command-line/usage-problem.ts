import { nearest } from '../../config/file/nearest.ts'
import { findVariable, VARIABLE_NAMES } from '../../config/misspelt-variables.ts'
import { COMMANDS, type Command } from './commands.ts'
import { OPTION_NAMES, optionOf } from './options.ts'
import type { UsageProblem } from './read-command-line.ts'

/** What people call a command who know another program. */
const COMMAND_SYNONYMS: ReadonlyMap<string, string> = new Map([
  ...['start', 'run', 'up', 'server', 'gateway', 'proxy', 'listen'].map((word) => [word, 'serve'] as const),
  ...['validate', 'lint', 'doctor', 'verify', 'ping', 'test'].map((word) => [word, 'check'] as const),
  ...['simulator', 'simulated', 'mock', 'fake', 'stub'].map((word) => [word, 'simulate'] as const),
  ...['health', 'status', 'healthy'].map((word) => [word, 'healthcheck'] as const),
  ...['tape', 'capture'].map((word) => [word, 'record'] as const),
  ...['play', 'playback'].map((word) => [word, 'replay'] as const),
  ...['litellm', 'migrate', 'convert'].map((word) => [word, 'import litellm'] as const),
  ...['new', 'create', 'extension'].map((word) => [word, 'init extension'] as const),
  ['purge', 'cache purge'],
  ['stats', 'cache stats'],
])

type ForeignOption = Extract<UsageProblem, { kind: 'foreign_option' }>

/**
 * Says in one line what is wrong with a command line, and what was probably meant.
 *
 * @example
 * explainUsage({ kind: 'unknown_command', word: 'sevre', others: [] }, undefined)
 * // 'nexcode: there is no command "sevre". Did you mean: nexcode serve'
 */
export function explainUsage(problem: UsageProblem, command: Command | undefined): string {
  const who = command === undefined ? 'nexcode' : `nexcode ${command.name}`
  switch (problem.kind) {
    case 'unknown_command':
      return `nexcode: there is no command "${problem.word}". ${meantByWord(problem.word, problem.others)}`
    case 'unknown_option':
      return `${who}: there is no option ${problem.option}. ${meantByOption(problem.option, problem.value, command)}`
    case 'foreign_option':
      return `${who}: ${explainForeign(problem, command)}`
    case 'missing_value':
      return `${who}: --${problem.option} wants a value: --${problem.option} ${optionOf(problem.option).value}`
    case 'surplus_value':
      return `${who}: ${problem.option} takes no value.`
    case 'surplus_words':
      return `${who}: "${problem.words.join(' ')}" is not expected here.${asFile(problem.words[0] ?? '', command)}`
  }
}

/**
 * Says in one line that there is nothing about a topic, and which was probably meant.
 *
 * @example
 * explainTopic('sevre')
 */
export function explainTopic(topic: string): string {
  const meant = COMMAND_SYNONYMS.get(topic) ?? nearest(topic, [...COMMANDS.keys(), ...VARIABLE_NAMES])
  const cure = meant === undefined ? 'nexcode --help lists what there is.' : `Did you mean: nexcode help ${meant}`
  return `nexcode help: there is no command and no variable "${topic}". ${cure}`
}

function meantByWord(word: string, others: readonly string[]): string {
  const [, name, value] = /^([A-Za-z_]+)=(.*)$/s.exec(word) ?? []
  const variable = name === undefined ? undefined : findVariable(name)
  if (variable !== undefined) return `A variable stands in front: ${variable}=${showValue(variable, value)} nexcode`
  if (isConfigFile(word)) return `Did you mean: nexcode --config ${word}`
  const meant = COMMAND_SYNONYMS.get(word.toLowerCase()) ?? nearest(word, [...COMMANDS.keys()])
  if (meant === undefined) return 'nexcode help lists the commands.'
  // What follows belongs to it, unless it brings a word of its own that is there already.
  return `Did you mean: nexcode ${[meant, ...others.filter((other) => !meant.endsWith(` ${other}`))].join(' ')}`
}

function meantByOption(option: string, value: string | undefined, command: Command | undefined): string {
  const name = option.replace(/^-+/, '')
  const own = nearest(name, command?.options ?? [])
  // An option of this command that is one letter off is meant rather than a variable that is like it.
  const variable = findVariable(name) ?? nearest(name, VARIABLE_NAMES)
  if (own !== undefined && variable?.toLowerCase() !== name.replaceAll('-', '_')) return `Did you mean --${own}?`
  if (variable !== undefined) return `It is a variable: ${assign(variable, value, command)}`
  const other = nearest(name, OPTION_NAMES)
  if (other !== undefined) return `Did you mean --${other}? It is for ${takersOf(other)}.`
  const more = command === undefined ? 'nexcode help' : `nexcode help ${command.name}`
  return `${more} lists what there is.`
}

/** An option of another command may be a variable of this one: `--port` is the simulated OpenAI's, and `PORT` the server's. */
function explainForeign({ option, value }: ForeignOption, command: Command | undefined): string {
  const variable = VARIABLE_NAMES.find((name) => name === option.toUpperCase().replaceAll('-', '_'))
  if (variable === undefined) return `--${option} is not for this command, but for ${takersOf(option)}.`
  return `there is no option --${option} here. It is a variable: ${assign(variable, value, command)}`
}

function assign(variable: string, value: string | undefined, command: Command | undefined): string {
  const rest = command === undefined || command.name === 'serve' ? '' : ` ${command.name}`
  return `${variable}=${showValue(variable, value)} nexcode${rest}`
}

/** A value as it was given, unless it may be a secret, or is nothing that a shell takes as it is. */
function showValue(variable: string, value: string | undefined): string {
  if (variable === 'LOG_LEVEL' && value === undefined) return 'debug'
  return value === undefined || /KEY|TOKEN/.test(variable) || !/^[\w.:/,-]{1,80}$/.test(value) ? '…' : value
}

function takersOf(option: string): string {
  const takers = [...COMMANDS.values()].filter(({ options }) => options.some((one) => one === option))
  return takers.map(({ name }) => `nexcode ${name}`).join(', ')
}

function asFile(word: string, command: Command | undefined): string {
  const takesFile = command?.options.includes('config') === true
  return takesFile && isConfigFile(word) ? ` Did you mean: nexcode ${command.name} --config ${word}` : ''
}

function isConfigFile(word: string): boolean {
  return /\.(ya?ml|json)$/i.test(word)
}

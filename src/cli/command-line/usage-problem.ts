import { meantVariable, VARIABLE_NAMES } from '../../config/misspelt-variables.ts'
import { nearest } from '../../formats/text/nearest.ts'
import type { Command } from './command.ts'
import { COMMANDS } from './commands.ts'
import { OPTION_NAMES, type OptionName, optionOf } from './options.ts'
import { ASKING, type UsageProblem } from './read-command-line.ts'

/** Names of commands in other programs, with ours. */
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

/** Other names for the actions of commands, with ours. */
const ACTION_SYNONYMS: ReadonlyMap<string, string> = new Map([
  ...['clear', 'flush', 'empty', 'delete', 'drop', 'reset', 'remove', 'rm', 'invalidate'].map(
    (word) => [word, 'purge'] as const,
  ),
  ...['status', 'info', 'show', 'list', 'ls', 'count', 'size'].map((word) => [word, 'stats'] as const),
])

/** The options of every command. */
const ASKING_NAMES = Object.keys(ASKING) as readonly (keyof typeof ASKING)[]

const ASSIGNMENT = /^([A-Za-z_]\w*)=(.*)$/s

type ForeignOption = Extract<UsageProblem, { kind: 'foreign_option' }>

/**
 * Explains in one line the problem of a command line, and what was probably meant.
 *
 * @example
 * explainUsage({ kind: 'unknown_command', word: 'sevre', others: [] }, undefined)
 * // 'nexcode: there is no command "sevre". Did you mean: nexcode serve'
 */
export function explainUsage(problem: UsageProblem, command: Command | undefined): string {
  const who = command === undefined ? 'nexcode' : `nexcode ${command.name}`
  switch (problem.kind) {
    case 'unknown_command':
      return `nexcode: there is no command "${showWord(problem.word)}". ${meantByWord(problem.word, problem.others)}`
    case 'unknown_action':
      return `${who}: there is no "${showWord(problem.word)}". ${meantByAction(problem.word, problem.others, command)}`
    case 'unknown_option':
      return `${who}: there is no option ${problem.option}. ${meantByOption(problem.option, problem.value, command)}`
    case 'foreign_option':
      return `${who}: ${explainForeign(problem, command)}`
    case 'missing_value':
      return `${who}: --${problem.option} wants a value: --${problem.option} ${optionOf(problem.option).value}`
    case 'surplus_value':
      return `${who}: ${problem.option} takes no value.`
    case 'surplus_words':
      return `${who}: "${problem.words.map(showWord).join(' ')}" is not expected here.${meantBySurplus(problem.words[0] ?? '', command)}`
  }
}

/**
 * Explains in one line that a topic has no help, and which topic was probably meant.
 *
 * @example
 * explainTopic('sevre')
 */
export function explainTopic(topic: string): string {
  const meant = COMMAND_SYNONYMS.get(topic) ?? nearest(topic, [...COMMANDS.keys(), ...ASKING_NAMES, ...VARIABLE_NAMES])
  const cure = meant === undefined ? 'nexcode --help lists what there is.' : `Did you mean: nexcode help ${meant}`
  return `nexcode help: there is no command and no variable "${topic}". ${cure}`
}

function meantByWord(word: string, others: readonly string[]): string {
  const variable = asVariable(word)
  if (variable !== undefined) return `A variable stands in front: ${[variable, 'nexcode', ...others].join(' ')}`
  if (isConfigFile(word)) return `Did you mean: nexcode --config ${word}`
  if (/^\d+$/.test(word)) return `A variable stands in front: PORT=${word} nexcode`
  const meant = COMMAND_SYNONYMS.get(word.toLowerCase()) ?? nearest(word, [...COMMANDS.keys(), ...ASKING_NAMES])
  if (meant === undefined) return 'nexcode help lists the commands.'
  // The words that follow belong to it, unless it brings a word of its own that is there already.
  return `Did you mean: nexcode ${[meant, ...others.filter((other) => !meant.endsWith(` ${other}`))].join(' ')}`
}

function meantByAction(word: string, others: readonly string[], command: Command | undefined): string {
  const { name = '', actions = [] } = command ?? {}
  const synonym = ACTION_SYNONYMS.get(word.toLowerCase())
  const meant = actions.find((action) => action === synonym) ?? nearest(word, actions)
  if (meant !== undefined) return `Did you mean: nexcode ${[name, meant, ...others].join(' ')}`
  // The file was named, and its kind was not.
  const kind = /\.ya?ml$/.test(word) ? actions.at(-1) : actions[0]
  if ((actions.length === 1 || name === 'init') && /\.\w+$/.test(word))
    return `Did you mean: nexcode ${name} ${kind} ${word}`
  return `There is: ${actions.join(', ')}.`
}

function meantByOption(option: string, value: string | undefined, command: Command | undefined): string {
  const name = option.replace(/^-+/, '')
  const takes = [...(command?.options ?? []), ...ASKING_NAMES]
  const own = takes.find((one) => shortOf(one) === name.toLowerCase()) ?? nearest(name, takes)
  // An option of this command that is one letter off goes before a similar variable.
  const variable = meantVariable(name)
  if (own !== undefined && variable?.toLowerCase() !== name.replaceAll('-', '_')) return `Did you mean --${own}?`
  if (variable !== undefined) return `It is a variable: ${assign(variable, value, command)}`
  const other = nearest(name, OPTION_NAMES)
  if (other !== undefined) return `Did you mean --${other}? It is for ${takersOf(other)}.`
  const more = command === undefined ? 'nexcode help' : `nexcode help ${command.name}`
  return `${more} lists what there is.`
}

function shortOf(name: OptionName | keyof typeof ASKING): string | undefined {
  return name === 'help' || name === 'version' ? ASKING[name].short : optionOf(name).short
}

/** Finds the variable for another command's option: `--port` is the simulated OpenAI's, and `PORT` the server's. */
function explainForeign({ option, value }: ForeignOption, command: Command | undefined): string {
  const variable = VARIABLE_NAMES.find((name) => name === option.toUpperCase().replaceAll('-', '_'))
  if (variable === undefined) return `--${option} is not for this command, but for ${takersOf(option)}.`
  return `there is no option --${option} here. It is a variable: ${assign(variable, value, command)}`
}

function assign(variable: string, value: string | undefined, command: Command | undefined): string {
  const rest = command === undefined || command.name === 'serve' ? '' : ` ${command.name}`
  return `${variable}=${showValue(variable, value)} nexcode${rest}`
}

/** Gives a value as it was typed, unless it may be a secret, or a shell would change it. */
function showValue(variable: string, value: string | undefined): string {
  if (variable === 'LOG_LEVEL' && value === undefined) return 'debug'
  return value === undefined || /KEY|TOKEN/.test(variable) || !/^[\w.:/,-]{1,80}$/.test(value) ? '…' : value
}

function takersOf(option: string): string {
  const takers = [...COMMANDS.values()].filter(({ options }) => options.some((one) => one === option))
  return takers.map(({ name }) => `nexcode ${name}`).join(', ')
}

/** Reads a word of the form NAME=value as the variable that is meant; undefined: it is none. */
function asVariable(word: string): string | undefined {
  const [, name, value] = ASSIGNMENT.exec(word) ?? []
  const variable = name === undefined ? undefined : meantVariable(name)
  return variable === undefined ? undefined : `${variable}=${showValue(variable, value)}`
}

/** Gives a word as it was typed, without a value that may be a secret. */
function showWord(word: string): string {
  const [, name = '', value = ''] = ASSIGNMENT.exec(word) ?? []
  return value === '' ? word : `${name}=${showValue(meantVariable(name) ?? name.toUpperCase(), value)}`
}

function meantBySurplus(word: string, command: Command | undefined): string {
  const variable = asVariable(word)
  if (variable !== undefined) return ` A variable stands in front: ${variable} nexcode ${command?.name ?? ''}`.trimEnd()
  const option = command?.options.find((name) => isValueOf(word, name))
  // A command whose words are files was given one file too many.
  if (command === undefined || option === undefined || command.argsMax > 0) return ''
  return ` Did you mean: nexcode ${command.name} --${option} ${word}`
}

/** Whether a word is most likely an option's value, whose name was left out. */
function isValueOf(word: string, name: OptionName): boolean {
  if (name === 'config') return isConfigFile(word)
  const { value } = optionOf(name)
  return value === 'FOLDER' ? !isConfigFile(word) : value === 'N' && /^\d+$/.test(word)
}

function isConfigFile(word: string): boolean {
  return /\.(ya?ml|json)$/i.test(word)
}

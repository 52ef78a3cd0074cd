import { parseArgs } from 'node:util'
import type { Flags, OptionValues } from '../flags.ts'
import type { Command } from './command.ts'
import { COMMANDS } from './commands.ts'
import { OPTION_NAMES, type OptionName, optionOf } from './options.ts'

/** The request of a command line. */
export type CommandLine =
  | { readonly kind: 'run'; readonly command: Command; readonly flags: Flags }
  /** `topic` is a command or a variable; undefined: the whole help. */
  | { readonly kind: 'help'; readonly topic: string | undefined }
  | { readonly kind: 'version' }
  /** `command` is the command that was meant, if that is known. */
  | { readonly kind: 'wrong'; readonly command: Command | undefined; readonly problem: UsageProblem }

/** The problem of a command line. Options have their dashes. */
export type UsageProblem =
  | { readonly kind: 'unknown_command'; readonly word: string; readonly others: readonly string[] }
  | { readonly kind: 'unknown_action'; readonly word: string; readonly others: readonly string[] }
  | { readonly kind: 'unknown_option'; readonly option: string; readonly value: string | undefined }
  | { readonly kind: 'foreign_option'; readonly option: OptionName; readonly value: string | undefined }
  | { readonly kind: 'missing_value'; readonly option: OptionName }
  | { readonly kind: 'surplus_value'; readonly option: string }
  | { readonly kind: 'surplus_words'; readonly words: readonly string[] }

/** The words that ask for help or the version, with their short forms. */
export const ASKING = { help: { type: 'boolean', short: 'h' }, version: { type: 'boolean', short: 'v' } } as const

type Token = ReturnType<typeof tokenize>[number]
type OptionToken = Extract<Token, { kind: 'option' }>

/**
 * Reads a command line. A problem is returned, not thrown: its text is made elsewhere, by code that is loaded only then.
 *
 * @example
 * const asked = readCommandLine(process.argv.slice(2))
 */
export function readCommandLine(args: readonly string[]): CommandLine {
  const tokens = tokenize(args)
  const options = tokens.filter((token): token is OptionToken => token.kind === 'option')
  const unknown = findUnknownOption(options, tokens)
  // A word behind an unknown option is its value, and no command.
  const words = tokens.flatMap((token) =>
    token.kind === 'positional' && token.index !== unknown?.valueIndex ? [token.value] : [],
  )
  const [name = 'serve', ...rest] = words
  if (options.some((option) => option.name === 'help')) return { kind: 'help', topic: words[0] }
  if (name === 'help') return { kind: 'help', topic: rest[0] }
  if (name === 'version' || options.some((option) => option.name === 'version')) return { kind: 'version' }
  const command = COMMANDS.get(name)
  const problem =
    unknown?.problem ?? (command === undefined ? unknownCommand(name, rest) : findMisuse(command, options, rest))
  if (command === undefined || problem !== undefined) {
    return { kind: 'wrong', command, problem: problem ?? unknownCommand(name, rest) }
  }
  return { kind: 'run', command, flags: toFlags(options, rest) }
}

function tokenize(args: readonly string[]) {
  const own = OPTION_NAMES.map((name) => {
    const { short, value } = optionOf(name)
    const type: 'boolean' | 'string' = value === undefined ? 'boolean' : 'string'
    return [name, { type, ...(short !== undefined && { short }) }] as const
  })
  const options = { ...Object.fromEntries(own), ...ASKING }
  return parseArgs({ args: args.map(spellOut), allowPositionals: true, strict: false, tokens: true, options }).tokens
}

/** Writes `-c=FILE` as `--config=FILE`: the platform would read the value `=FILE`, which nobody means. */
function spellOut(arg: string): string {
  const [, letter, value] = /^-([A-Za-z])=(.*)$/s.exec(arg) ?? []
  const name = letter === undefined ? undefined : OPTION_NAMES.find((one) => optionOf(one).short === letter)
  return name === undefined ? arg : `--${name}=${value}`
}

function unknownCommand(word: string, others: readonly string[]): UsageProblem {
  return { kind: 'unknown_command', word, others }
}

function findUnknownOption(options: readonly OptionToken[], tokens: readonly Token[]) {
  const unknown = options.find(({ name }) => !isOptionName(name) && !Object.hasOwn(ASKING, name))
  if (unknown === undefined) return undefined
  const next = tokens.find(({ index }) => index === unknown.index + 1)
  const following = unknown.value === undefined && next?.kind === 'positional' ? next : undefined
  const value = unknown.value ?? following?.value
  const problem: UsageProblem = { kind: 'unknown_option', option: unknown.rawName, value }
  return { problem, valueIndex: following?.index }
}

function findMisuse(
  command: Command,
  options: readonly OptionToken[],
  words: readonly string[],
): UsageProblem | undefined {
  for (const { name, value, inlineValue } of options) {
    if (!isOptionName(name)) continue
    if (!command.options.includes(name)) return { kind: 'foreign_option', option: name, value }
    const takesValue = optionOf(name).value !== undefined
    // A word that looks like an option is one: a value that begins with a dash is written with `=`.
    // A shell variable that is not set leaves an empty value.
    const isMissing = value === undefined || value.trim() === '' || (inlineValue === false && /^-./.test(value))
    if (takesValue && isMissing) return { kind: 'missing_value', option: name }
    if (!takesValue && value !== undefined) return { kind: 'surplus_value', option: `--${name}` }
  }
  const [word, ...others] = words
  if (word !== undefined && command.actions?.includes(word) === false) return { kind: 'unknown_action', word, others }
  const surplus = words.slice(command.argsMax)
  return surplus.length === 0 ? undefined : { kind: 'surplus_words', words: surplus }
}

function isOptionName(name: string): name is OptionName {
  return (OPTION_NAMES as readonly string[]).includes(name)
}

/** The options with a value; the last of several counts. */
function valuesOf(options: readonly OptionToken[]): OptionValues {
  const values: Partial<Record<OptionName, string>> = {}
  for (const { name, value } of options) if (isOptionName(name) && value !== undefined) values[name] = value
  return values
}

/** Gives the value of an option; the last of several counts. */
function toFlags(options: readonly OptionToken[], args: readonly string[]): Flags {
  const given = new Map(options.map(({ name, value }) => [name, value]))
  const text = (name: OptionName): string | undefined => given.get(name)
  return {
    once: given.has('once'),
    json: given.has('json'),
    config: text('config'),
    path: text('path'),
    to: text('to'),
    from: text('from'),
    pace: text('pace'),
    onMiss: text('on-miss'),
    ignore: text('ignore'),
    blank: options.flatMap(({ name, value }) => (name === 'blank' && value !== undefined ? [value] : [])),
    scope: text('scope'),
    key: text('key'),
    port: text('port'),
    csv: given.has('csv'),
    values: valuesOf(options),
    args,
  }
}

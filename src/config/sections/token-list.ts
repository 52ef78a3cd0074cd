import { type Fault, type FileForm, type Kind, type Parsed, quoteText, right, wrong } from '../scalar-kinds.ts'
import { Secret } from '../secret.ts'
import { headerFault } from '../text-kinds.ts'

/** A token that callers may present. */
export interface ApiToken {
  /** The name of its owner: `[A-Za-z0-9._-]`, at most 64 characters; undefined: it has none. Several tokens may have one name. */
  readonly name: string | undefined
  readonly token: Secret
}

/** One entry of a list, and where it stands (from 1). */
interface Entry {
  readonly text: string
  readonly number: number
  readonly line: number
}

/** The wording of problems with a list, for a variable and for a file. */
interface Form {
  readonly nameCure: string
  readonly placeOf: (entry: Entry) => string
}

const NAME = /^[\w.-]{1,64}$/
/** `name token`, `name: token`, as a person writes a list. */
const TWO_WORDS = /^([^\s:]+):?\s+(\S+)$/

/** Names are logged, tokens must not be: a name that looks like a token is refused. */
const LIKE_A_TOKEN = /^(?:sk-|[0-9a-f]{24,}$|(?=\w*\d)\w{32,}$)/i

/** The names of kinds of callers, in rules and in the log: a token of that name would be taken for one of these. */
const TAKEN: ReadonlySet<string> = new Set(['token', 'caller', 'local', 'none', 'shared'])

const NAME_RULE =
  'with a name of letters, digits, ".", "_" and "-" (64 at most); or :TOKEN for a token without a name that has a colon in it.'
const IN_VARIABLE: Form = {
  nameCure: `Write NAME:TOKEN, ${NAME_RULE}`,
  placeOf: ({ number }) => `entry ${number}`,
}
const IN_FILE: Form = {
  nameCure: `Write NAME TOKEN on a line of its own, ${NAME_RULE}`,
  placeOf: ({ line }) => `line ${line}`,
}

/**
 * Several tokens, by comma or line, each with its owner: `name:token`, `name token`, `token` alone. `:to:ken` is a token without
 * a name that has a colon in it. A line may be a comment (`#`). Never shown.
 */
export const tokenList: Kind<readonly ApiToken[]> = {
  label: 'secret list',
  isSecret: true,
  parse: (text) => parseList(text, IN_VARIABLE),
}

/** The same in a file, where a problem names the line. */
export const tokenFile: FileForm<readonly ApiToken[]> = {
  parse: (text) => parseList(text, IN_FILE),
  emptyCure: 'Write NAME TOKEN on a line for each caller; make a token with: openssl rand -hex 32',
}

function parseList(text: string, form: Form): Parsed<readonly ApiToken[]> {
  const entries = entriesOf(text)
  const placeOf = (entry: Entry): string => {
    if (form === IN_FILE) return ` (${form.placeOf(entry)})`
    return entries.length === 1 ? '' : ` (${form.placeOf(entry)} of ${entries.length})`
  }
  const owners = new Map<string, { readonly entry: Entry; readonly token: ApiToken }>()
  for (const entry of entries) {
    const token = tokenOf(entry.text, form)
    if ('wrong' in token) return wrong(`${token.wrong}${placeOf(entry)}`, token.cure)
    const before = owners.get(token.token.reveal())
    if (before !== undefined && before.token.name !== token.name) {
      const said = (one: ApiToken, at: Entry): string => `${ownerOf(one)} (${form.placeOf(at)})`
      return wrong(
        `has one token twice, ${said(before.token, before.entry)} and ${said(token, entry)}`,
        'Take one of the two out: a token says who is calling.',
      )
    }
    if (before === undefined) owners.set(token.token.reveal(), { entry, token })
  }
  return right([...owners.values()].map(({ token }) => token))
}

function entriesOf(text: string): readonly Entry[] {
  return text
    .split(/\r\n|[\r\n]/)
    .map((line) =>
      line
        .trim()
        .replace(/^#.*$/, '')
        .replace(/\s#.*$/, ''),
    )
    .flatMap((line, index) => line.split(',').map((entry) => ({ text: entry.trim(), line: index + 1 })))
    .filter(({ text: entry }) => entry !== '')
    .map((entry, index) => ({ ...entry, number: index + 1 }))
}

function tokenOf(entry: string, { nameCure }: Form): ApiToken | Fault {
  const words = /^bearer\s/i.test(entry) ? null : TWO_WORDS.exec(entry)
  const [name, secret] = words === null ? atColon(entry) : [words[1], words[2] ?? '']
  const noToken = { wrong: 'has a name without a token', cure: nameCure }
  const fault = nameFault(name, nameCure) ?? (secret === '' ? noToken : headerFault(secret))
  return fault ?? { name, token: new Secret(secret) }
}

/** The name before the first colon; none where the entry has no colon, or begins with one. */
function atColon(entry: string): readonly [string | undefined, string] {
  const colon = entry.indexOf(':')
  if (colon === -1) return [undefined, entry]
  return colon === 0 ? [undefined, entry.slice(1)] : [entry.slice(0, colon), entry.slice(colon + 1)]
}

function nameFault(name: string | undefined, cure: string): Fault | undefined {
  if (name === undefined) return undefined
  // It is not shown: it may be the beginning of a token.
  if (!NAME.test(name)) return { wrong: 'has something before a colon or a space that is no name', cure }
  if (LIKE_A_TOKEN.test(name)) return { wrong: 'has a name that looks like a token itself', cure }
  if (!TAKEN.has(name)) return undefined
  return { wrong: `has the name "${name}", which is that of a kind of callers`, cure: 'Give it another name.' }
}

function ownerOf({ name }: ApiToken): string {
  return name === undefined ? 'without a name' : `as ${quoteText(name)}`
}

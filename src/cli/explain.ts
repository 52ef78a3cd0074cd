import { readCredential } from '../access/credential.ts'
import { nameTokens, shortId } from '../access/name-tokens.ts'
import type { Config } from '../config/config.ts'
import { Secret } from '../config/secret.ts'
import { describeSystemError } from '../config/system-errors.ts'
import type { Principal } from '../exchange/principal.ts'
import { suggest } from '../formats/text/nearest.ts'
import { NO_LIMITS } from '../ledger/first-records.ts'
import { readWholeConfiguration } from '../process/configuration.ts'
import { sha256 } from '../process/sha256.ts'
import { INVALID } from '../process/start-failure.ts'
import { readTextFile } from '../storage/read-text-file.ts'
import { explainRequest } from './explain/explain-request.ts'
import type { Explanation } from './explain/explanation.ts'
import { renderExplanation } from './explain/render-explanation.ts'
import { type RequestToExplain, readRequestFile } from './explain/request-file.ts'
import type { Flags } from './flags.ts'
import { writeOut } from './write-out.ts'

const REFUSED = 1

/** The log's name for a caller with a key of its own. */
const CALLER = /^caller-[0-9a-f]+$/
/** The holder of some key of the ledger, or of one by its id. */
const KEY = /^key(_\S+)?$/

/**
 * Explains, without sending it, what would become of a request: which rules apply and what they do, where it would go, and with
 * which body. The request is a file (`-`: standard input): a body alone, or `{ path, method, headers, principal, body }`. Gives the exit
 * code: 0; 1 where the request would be refused; 2 for an invalid configuration or file.
 */
export async function explain(flags: Pick<Flags, 'config' | 'json' | 'path' | 'args'>): Promise<number> {
  const [name] = flags.args
  if (name === undefined) return refuse('nexcode explain wants the file of a request, or - for standard input.')
  const configuration = await readWholeConfiguration(process.env, flags.config)
  if (configuration === undefined) return INVALID
  const shownName = name === '-' ? 'standard input' : name
  let text: string
  try {
    text = readTextFile(name === '-' ? 0 : name)
  } catch (cause) {
    return refuse(`${shownName} cannot be read: ${describeSystemError(cause)}. Name a file with a request's JSON body.`)
  }
  const request = readRequestFile(text, flags.path)
  if (typeof request === 'string') return refuse(`${shownName} ${request}`)
  const { config, source } = configuration
  const principal = principalOf(request, config)
  if (typeof principal === 'string') return refuse(`${shownName} ${principal}`)
  const found = await explainRequest(request, principal, config)
  const shown: Explanation = { config: source.file ?? 'none: the environment alone', ...found }
  await writeOut(process.stdout, flags.json ? `${JSON.stringify(shown, null, 2)}\n` : renderExplanation(shown))
  return found.refusal === undefined ? 0 : REFUSED
}

/**
 * Gives the principal that the file names; without a name the holder of a token, for whom the server's keys are meant. A text: the
 * problem.
 */
function principalOf({ principal, headers }: RequestToExplain, { auth, settings }: Config): Principal | string {
  const names = nameTokens(auth.tokens, sha256).map(({ name }) => name)
  if (principal === 'local') return { kind: principal }
  if (principal === 'caller') {
    const key = readCredential(new Headers(headers))
    return { kind: 'caller', id: key === undefined ? 'caller' : shortId('caller', key, sha256) }
  }
  if (principal !== undefined && CALLER.test(principal)) return { kind: 'caller', id: principal }
  if (settings.ledger.store !== undefined && principal !== undefined && KEY.test(principal)) return keyHolder(principal)
  const id = principal === undefined || principal === 'token' ? (names[0] ?? 'token') : principal
  if (names.includes(id) || id === 'token') return { kind: 'token', id, token: new Secret(crypto.randomUUID()) }
  const cure = suggest(id, [...names, 'token', 'caller', 'local'], 'Name a token, or write token, caller or local.')
  return `names the principal "${id}". Nobody goes by that name here. ${cure}`
}

/** The holder of a key of the ledger, which is not asked: what the key may do is not known here. */
function keyHolder(id: string): Principal {
  const entry = {
    id,
    kind: 'key',
    expiresAt: 0,
    limits: NO_LIMITS,
    project: undefined,
    organization: undefined,
  } as const
  return { kind: 'key', id, token: new Secret(crypto.randomUUID()), entry }
}

function refuse(text: string): number {
  process.stderr.write(`${text}\n`)
  return INVALID
}

import { readFileSync } from 'node:fs'
import type { Principal } from '../auth/authorize.ts'
import { describeSystemError } from '../config/system-errors.ts'
import { readWholeConfiguration } from './configuration.ts'
import { explainRequest } from './explain/explain-request.ts'
import type { Explanation } from './explain/explanation.ts'
import { renderExplanation } from './explain/render-explanation.ts'
import { type AskedRequest, readRequestFile } from './explain/request-file.ts'
import { type Flags, INVALID } from './flags.ts'
import { writeOut } from './write-out.ts'

const REFUSED = 1

/**
 * Says, without sending, what would become of a request: which rules apply and what they do, where it would go, and with
 * which body. The request is a file (`-`: standard input): a body alone, or `{ path, method, headers, principal, body }`.
 */
export async function explain(flags: Pick<Flags, 'config' | 'json' | 'path' | 'args'>): Promise<number> {
  const [name] = flags.args
  if (name === undefined) return refuse('nexcode explain wants the file of a request, or - for standard input.')
  const configuration = await readWholeConfiguration(process.env, flags.config)
  if (configuration === undefined) return INVALID
  const shownName = name === '-' ? 'standard input' : name
  let text: string
  try {
    text = readFileSync(name === '-' ? 0 : name, 'utf8')
  } catch (cause) {
    return refuse(`${shownName} cannot be read: ${describeSystemError(cause)}. Name a file with a request's JSON body.`)
  }
  const request = readRequestFile(text, flags.path)
  if (typeof request === 'string') return refuse(`${shownName} ${request}`)
  const { config, file } = configuration
  const found = await explainRequest(request, principalOf(request), config)
  const shown: Explanation = { config: file?.path ?? 'none: the environment alone', ...found }
  await writeOut(process.stdout, flags.json ? `${JSON.stringify(shown, null, 2)}\n` : renderExplanation(shown))
  return found.refusal === undefined ? 0 : REFUSED
}

/** A token's holder, where the file does not say otherwise: the one whom the server's keys are for. */
function principalOf({ principal = 'token-1' }: AskedRequest): Principal {
  if (principal === 'caller' || principal === 'local') return { kind: principal }
  return { kind: 'token', id: principal === 'token' ? 'token-1' : principal, secret: crypto.randomUUID() }
}

function refuse(text: string): number {
  process.stderr.write(`${text}\n`)
  return INVALID
}

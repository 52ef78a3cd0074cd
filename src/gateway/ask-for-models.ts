import { collect } from '../exchange/collect-bytes.ts'
import type { Exchange } from '../exchange/exchange.ts'
import { ignoreRejection } from '../formats/ignore-rejection.ts'
import { keyRefusalOf, maySpeakOfKey } from '../openai/key-refusal.ts'
import { parseJson } from '../requests/parse-json.ts'
import type { AttemptDeps } from '../routing/attempts/attempt.ts'
import { readError } from '../routing/attempts/judge-answer.ts'
import { warnOfKey } from '../routing/attempts/warn-of-key.ts'
import { type AddressDeps, addressDeployment, payerOf } from '../routing/deployment-address.ts'
import type { Snapshot } from '../routing/snapshot.ts'
import type { Deployment } from '../routing/targets/deployment.ts'

/** The dependencies of `askForModels`. */
export interface AskForModelsDeps extends AttemptDeps, AddressDeps {}

/** The time that an upstream has to answer. */
const ANSWER_MS = 3000
/** The longest list that is read. A longer one would keep all others waiting. */
const LIST_BYTES_MAX = 4 * 1024 * 1024
/** The most models of one upstream that are listed. */
const LISTED_MAX = 10_000

/**
 * Asks an upstream for the ids of its models, with each of its keys in turn until it accepts one. An upstream that fails, or does not
 * answer within 3 s, has no models. Does not reject.
 */
export async function askForModels(
  upstream: string,
  exchange: Exchange,
  snapshot: Snapshot,
  deps: AskForModelsDeps,
): Promise<readonly string[]> {
  const abort = new AbortController()
  const late = deps.deadlines.start(ANSWER_MS, () => abort.abort())
  try {
    for (const deployment of snapshot.router
      .routeTo(upstream)
      .order({ payerOf: (one) => payerOf(exchange.principal, one.upstream) })) {
      const ids = await idsFrom(deployment, abort, exchange, snapshot, deps)
      if (ids !== 'key_refused') return ids
    }
  } catch {
    // An upstream that can't be asked has no models to list.
  } finally {
    late.clear()
  }
  return []
}

/** The ids that one deployment answers with; `key_refused`: the upstream does not accept its key, and another key may do. */
async function idsFrom(
  deployment: Deployment,
  abort: AbortController,
  exchange: Exchange,
  snapshot: Snapshot,
  deps: AskForModelsDeps,
): Promise<readonly string[] | 'key_refused'> {
  const address = addressDeployment(exchange, deployment, { target: '/v1/models', model: undefined }, snapshot, deps)
  const { spentKey: secret, account } = address
  // The body is read here, not by the client, so the client's content codings don't matter.
  address.headers.set('accept-encoding', 'identity')
  const { firstByteMs } = deployment.upstream.timeouts
  const begun = deployment.health.begin(account, secret !== undefined)
  try {
    const answer = await deps.send({ ...address, method: 'GET', body: null, abort, firstByteMs })
    const { status } = answer
    if (secret === undefined || !maySpeakOfKey(status)) {
      begun.answered(status, undefined)
      if (answer.body === null) return []
      const { value } = await parseJson(await collect(answer.body, LIST_BYTES_MAX))
      return idsIn(value)
    }
    const { answer: read, value } = await readError(answer, abort, deps)
    void ignoreRejection(read.body?.cancel())
    const key = keyRefusalOf(status, value, { namesAccount: account === 'caller' })
    if (key === undefined) begun.answered(status, undefined)
    else warnOfKey(deployment, { status, restMs: begun.refused(), isSpent: key === 'spent' }, deps.log)
    return key === undefined ? [] : 'key_refused'
  } finally {
    begun.ended()
  }
}

/** The ids of a list of models as OpenAI's API has it; none where it is something else. */
function idsIn(value: unknown): readonly string[] {
  const data = (value as { readonly data?: unknown } | null)?.data
  if (!Array.isArray(data)) return []
  return data.slice(0, LISTED_MAX).flatMap((one: unknown) => {
    const id = (one as { readonly id?: unknown } | null)?.id
    return typeof id === 'string' ? [id] : []
  })
}

import type { Config } from '../../config/config.ts'
import type { Exchange } from '../../exchange/exchange.ts'
import type { OutgoingBody } from '../../requests/outgoing-body.ts'
import { namedIds, pathOf } from '../../routing/named-ids.ts'
import type { Snapshot } from '../../routing/snapshot.ts'
import type { ExplainedRoute } from './explanation.ts'
import type { RequestToExplain } from './request-file.ts'

/** How far a request has come. */
interface Explained {
  readonly exchange: Exchange
  readonly outgoing: OutgoingBody | undefined
  readonly route: ExplainedRoute | undefined
}

/**
 * Gives the notes of an explanation: on the model in the URL, on an earlier answer that may decide, and on the caller.
 *
 * @example
 * const notes = notesFor(request, { exchange, outgoing, route }, snapshot, config)
 */
export function notesFor(
  { principal, path }: RequestToExplain,
  { exchange, outgoing, route }: Explained,
  { remembersIds }: Snapshot,
  { auth, settings: { ledger } }: Config,
): readonly string[] {
  const notes = notesOnTarget(exchange)
  const ids = remembersIds && outgoing !== undefined ? namedIds(pathOf(path), outgoing.value).certain : []
  if (ids.length > 0)
    notes.push(`A server that has given out ${ids.join(', ')} sends this to the upstream that it is from.`)
  const spendsKey = route?.targets.some(({ key }) => key.startsWith("the server's")) === true
  const others = auth.tokens.length - 1
  if (principal === undefined && auth.required && others > 0)
    notes.push(
      'Several tokens are set up, and this is for the first. For another, write "principal": "NAME" beside the body.',
    )
  if (principal === undefined && !auth.required && spendsKey)
    notes.push(
      'That is for the holder of a token, and none is set up here (REQUIRE_AUTH). For others, write "principal": "caller" or "local" beside the body.',
    )
  const { kind } = exchange.principal
  if (ledger.store !== undefined && (kind === 'token' || kind === 'key'))
    notes.push(
      'There is a ledger: before all this it decides whether the key may use the model, and whether its rates and its money allow the call. It is not asked here.',
    )
  return notes
}

/** Gives the note on the model in the URL. */
function notesOnTarget({ named, requestTarget: target }: Exchange): string[] {
  if (named === undefined) return []
  const what = named.plainTarget === undefined ? 'it decides' : `this is the call ${target} of it`
  return [`The URL names the model "${named.model}": ${what}.`]
}

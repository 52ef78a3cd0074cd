import type { SpendAlertRecord } from '../ledger/records.ts'
import { describeCause } from '../telemetry/describe-error.ts'
import type { Send } from '../upstream/send.ts'
import { centsOf } from './cents.ts'

/** What an alert has to tell. */
export interface AlertMessage {
  readonly alert: SpendAlertRecord
  /** The date of the month's first day. */
  readonly month: string
  /** In nano-dollars. */
  readonly spent: bigint
  /** In seconds since 1970. */
  readonly startsAt: number
  readonly resetsAt: number
}

/** What a message is sent by. */
export interface SendAlertDeps {
  readonly send: Send
  readonly sleep: (ms: number) => Promise<unknown>
  readonly now: () => number
}

const FIRST_BYTE_MS = 10_000
/** The pauses before further tries. */
const PAUSES_MS = [1_000, 5_000] as const

/**
 * Sends the message of an alert to its webhook, signed as OpenAI signs its own (Standard Webhooks), so that `client.webhooks.unwrap` of the
 * SDKs takes it. Gives why it did not arrive after several tries; undefined: it did.
 *
 * @example
 * const failure = await sendAlert(message, { send, sleep, now: Date.now })
 */
export async function sendAlert(message: AlertMessage, deps: SendAlertDeps): Promise<string | undefined> {
  let failure = await trySend(message, deps)
  for (const pauseMs of PAUSES_MS) {
    if (failure === undefined) return undefined
    await deps.sleep(pauseMs)
    failure = await trySend(message, deps)
  }
  return failure
}

async function trySend(message: AlertMessage, { send, now }: SendAlertDeps): Promise<string | undefined> {
  const { webhook, signingSecret } = message.alert
  const id = `evt_${message.alert.id}_${message.month}`
  const at = Math.floor(now() / 1000)
  const text = JSON.stringify(eventOf(message, id, at))
  const headers = new Headers({
    'content-type': 'application/json',
    'user-agent': 'NexCode',
    'webhook-id': id,
    'webhook-timestamp': String(at),
    'webhook-signature': await signatureOf(`${id}.${at}.${text}`, signingSecret),
  })
  const url = new URL(webhook)
  try {
    const body = new TextEncoder().encode(text)
    const target = `${url.pathname}${url.search}`
    const abort = new AbortController()
    const answer = await send({ url, target, method: 'POST', headers, body, abort, firstByteMs: FIRST_BYTE_MS })
    await answer.body?.cancel()
    return answer.ok ? undefined : `HTTP ${answer.status}`
  } catch (cause) {
    return describeCause(cause)
  }
}

/** The event, in the form of OpenAI's own: what was spent, in cents. */
function eventOf({ alert, spent, startsAt, resetsAt }: AlertMessage, id: string, at: number): object {
  const { projectId, threshold, subjectPrefix } = alert
  return {
    id,
    object: 'event',
    type: 'spend_alert.crossed',
    created_at: at,
    data: {
      id: alert.id,
      object: `${projectId === undefined ? 'organization' : 'project'}.spend_alert`,
      project_id: projectId ?? null,
      threshold_amount: centsOf(threshold),
      spent_amount: centsOf(spent),
      currency: 'USD',
      interval: 'month',
      starts_at: startsAt,
      resets_at: resetsAt,
      subject_prefix: subjectPrefix ?? null,
    },
  }
}

/** HMAC-SHA256 in base64, with the version of the scheme in front. */
async function signatureOf(text: string, secret: string): Promise<string> {
  const bytes = Uint8Array.fromBase64(secret.replace(/^whsec_/, ''))
  const key = await crypto.subtle.importKey('raw', bytes, { name: 'HMAC', hash: 'SHA-256' }, false, ['sign'])
  const signature = new Uint8Array(await crypto.subtle.sign('HMAC', key, new TextEncoder().encode(text)))
  return `v1,${signature.toBase64()}`
}

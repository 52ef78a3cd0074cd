import { expect, test } from 'bun:test'
import { startMetered } from '../helpers/metered-gateway.ts'
import { getText, openRawClient, sendRaw } from '../helpers/raw-client.ts'
import { statusAndCode } from '../helpers/received-answers.ts'
import type { Script } from '../helpers/scripted-upstream.ts'

const HANDSHAKE = {
  Connection: 'Upgrade',
  Upgrade: 'websocket',
  'Sec-WebSocket-Version': '13',
  'Sec-WebSocket-Key': 'dGhlIHNhbXBsZSBub25jZQ==',
}
const REALTIME = '/v1/realtime?model=gpt-realtime'

/** Refuses the upgrade by a status of its own, so that a test sees that it came so far. */
const refuseUpgrade: Script = (_request, connection) => connection.json({ error: { code: 'upstream_says_no' } }, 409)

function upgradeOf(target: string, key: string): string {
  return getText(target, { ...HANDSHAKE, Authorization: `Bearer ${key}` })
}

test('a WebSocket whose responses can be counted is opened to every key, whatever its limits: these hold for each response', async () => {
  await using gateway = await startMetered(refuseUpgrade)
  const keys = [
    {},
    { rate_limits: [{ model: '*', max_requests_per_1_minute: 1, max_tokens_per_1_minute: 1_000_000 }] },
    { spend_limit: { month: 100_000 } },
    { model_permissions: { mode: 'allow_list', model_ids: ['gpt-*'] } },
  ].map((limits) => gateway.key(limits))
  for (const key of [...(await Promise.all(keys)), 'token-of-the-tests']) {
    for (const target of ['/v1/responses', REALTIME]) {
      const answer = statusAndCode(await sendRaw(gateway.port, upgradeOf(target, key)))
      // The upstream has been asked: its refusal of a WebSocket of calls is said as what to do instead.
      expect([target, answer]).toEqual([target, '409 upstream_says_no'])
    }
  }
})

test('one whose responses can not be counted is closed to a key whose money or tokens are limited', async () => {
  await using gateway = await startMetered(refuseUpgrade)
  const free = await gateway.key()
  const limited = [
    await gateway.key({ spend_limit: { month: 100_000 } }),
    await gateway.key({ rate_limits: [{ model: '*', max_tokens_per_1_minute: 1_000_000 }] }),
  ]
  for (const target of ['/v1/realtime?call_id=rtc_1', `${REALTIME}&intent=transcription`, '/v1/chat/completions']) {
    for (const key of limited) {
      const refused = await sendRaw(gateway.port, upgradeOf(target, key))
      expect([target, statusAndCode(refused)]).toEqual([target, '403 endpoint_not_permitted'])
    }
    expect(statusAndCode(await sendRaw(gateway.port, upgradeOf(target, free)))).toBe('409 upstream_says_no')
  }
  // Where a server may read it as the WebSocket of calls, these are posted, and counted.
  for (const target of ['/v1/responses/resp_1', '/v1/responses/', '/v1//responses', '/v1/Responses']) {
    const answer = await sendRaw(gateway.port, upgradeOf(target, free))
    expect([target, statusAndCode(answer)]).toEqual([target, '426 websocket_not_relayed'])
  }
})

test('it is open where the operator permits it by name', async () => {
  await using gateway = await startMetered(refuseUpgrade)
  const named = await gateway.key({ spend_limit: { month: 100_000 }, endpoints: ['realtime'] })
  expect(statusAndCode(await sendRaw(gateway.port, upgradeOf(REALTIME, named)))).toBe('409 upstream_says_no')
})

/** A whole text message of an upstream. */
function frame(value: object): Uint8Array {
  const payload = new TextEncoder().encode(JSON.stringify(value))
  return Buffer.concat([Uint8Array.of(0x81, 126, payload.byteLength >> 8, payload.byteLength & 0xff), payload])
}

const DONE = {
  type: 'response.done',
  response: {
    object: 'realtime.response',
    status: 'completed',
    usage: {
      ...{ total_tokens: 150, input_tokens: 100, output_tokens: 50 },
      input_token_details: { text_tokens: 40, audio_tokens: 60, cached_tokens: 0 },
      output_token_details: { text_tokens: 10, audio_tokens: 40 },
    },
  },
}

test('each response of a realtime session is booked to its key, in whatever pieces it comes, and its bytes pass as they are', async () => {
  const told = Buffer.concat([
    frame({ type: 'session.created' }),
    frame(DONE),
    frame({ type: 'x', usage: null }),
    frame(DONE),
  ])
  await using gateway = await startMetered((_request, connection) => {
    connection.write('HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n')
    for (const byte of [told.subarray(0, 3), told.subarray(3, 100), told.subarray(100)]) connection.write(byte)
  })
  const key = await gateway.key()
  const client = await openRawClient(gateway.port)
  client.write(upgradeOf(REALTIME, key))
  const received = await client.until(
    (bytes) => bytes.byteLength >= told.byteLength && bytes.subarray(-told.byteLength).equals(told),
  )
  expect(received.includes('101 Switching Protocols')).toBe(true)
  const sum = await gateway.booked(2)
  expect([sum.requests, sum.usage]).toEqual([
    2,
    expect.objectContaining({ inputText: 80, inputAudio: 120, outputText: 20, outputAudio: 80 }),
  ])
  // gpt-realtime: $4 and $16 for a million of text, $32 and $64 of sound.
  expect(sum.cost).toBe(BigInt(80 * 4000 + 120 * 32_000 + 20 * 16_000 + 80 * 64_000))
  client.socket.destroy()
})

import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import { getText, openRawClient, parseResponse, postText, sendRaw } from '../helpers/raw-client.ts'
import { statusAndCode } from '../helpers/received-answers.ts'
import { startGateway, type TestGateway } from '../helpers/start-gateway.ts'
import { answerOk } from '../helpers/upstream-scripts.ts'

const TOKEN = 'a-token-of-more-than-16-characters'
const BROWSER = { Accept: 'text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,*/*;q=0.8' }
const CLIENTS = [{}, { Accept: '*/*' }, { Accept: 'application/json' }, { Accept: 'application/json, text/html' }]

let gateway: TestGateway<'openai'>
let guarded: TestGateway<'openai'>
beforeAll(async () => {
  gateway = await startGateway({ upstreams: { openai: answerOk } })
  guarded = await startGateway({ upstreams: { openai: answerOk }, env: { REQUIRE_AUTH: 'true', API_TOKEN: TOKEN } })
})
afterAll(() => Promise.all([gateway.stop(), guarded.stop()]))

describe('a browser', () => {
  test('sees a page with links at /, and whoever takes no HTML one line of text', async () => {
    const page = await sendRaw(gateway.port, getText('/', BROWSER))
    expect(page.status).toBe(200)
    expect(page.headers.get('content-type')).toBe('text/html; charset=utf-8')
    expect(page.headers.get('vary')).toBe('accept')
    for (const link of ['/docs', '/openapi.json', '/health']) expect(page.text()).toContain(`<a href="${link}">`)
    expect(page.text()).toContain('<code>http://localhost/v1</code>')
    for (const accept of CLIENTS) {
      const line = await sendRaw(gateway.port, getText('/', accept))
      expect(line.headers.get('content-type')).toBe('text/plain; charset=utf-8')
      expect(line.text().trimEnd().split('\n')).toHaveLength(1)
    }
  })

  test('sees a page for what is not there, with or without a key, and clients get the JSON of the same error', async () => {
    for (const { port } of [gateway, guarded]) {
      const page = await sendRaw(port, getText('/nothing/<b>here', BROWSER))
      expect(page.status).toBe(404)
      expect(page.headers.get('content-type')).toBe('text/html; charset=utf-8')
      expect(page.headers.get('content-security-policy')).toContain("default-src 'none'")
      expect(page.text()).toContain('Unknown request URL: GET /nothing/&lt;b&gt;here')
      expect(page.text()).toContain('<a href="/docs">')
    }
    for (const accept of CLIENTS) {
      expect(statusAndCode(await sendRaw(gateway.port, getText('/nothing', accept)))).toBe('404 unknown_url')
    }
    expect(statusAndCode(await sendRaw(gateway.port, postText('/nothing', '{}', BROWSER)))).toBe('404 unknown_url')
  })

  test('sees a page that asks for a token where one is needed', async () => {
    for (const path of ['/v1/models', '/openapi.json']) {
      const page = await sendRaw(guarded.port, getText(path, BROWSER))
      expect(page.status).toBe(401)
      expect(page.text()).toContain('This server wants one of its own API tokens')
      // There is no code for it: nothing stands beside the number.
      expect(page.text()).toContain('<h1>401</h1>')
    }
  })

  test.each(['/', '/docs', '/favicon.ico'])('gets %s with its length, which the log tells too', async (path) => {
    const id = crypto.randomUUID()
    const headers = { ...BROWSER, 'X-Request-Id': id }
    const client = await openRawClient(gateway.port)
    // A HEAD in front: what follows on the connection would show a body that does not belong there.
    client.write(getText(path, BROWSER, 'HEAD') + getText(path, headers))
    const line = await gateway.line(({ request_id }) => request_id === id)
    const received = await client.until((bytes) => bytes.toString().endsWith('</html>\n') || bytes.includes('</svg>'))
    client.leave()
    const head = received.indexOf('\r\n\r\n') + 4
    const page = parseResponse(received.subarray(head))
    expect(page?.body.byteLength).toBeGreaterThan(100)
    expect(line['bytes']).toBe(page?.body.byteLength)
    expect(received.subarray(0, head).toString().toLowerCase()).toContain(
      `content-length: ${page?.body.byteLength}\r\n`,
    )
  })

  test('gets the icon that it asks for by itself', async () => {
    const icon = await sendRaw(guarded.port, getText('/favicon.ico'))
    expect(icon.status).toBe(200)
    expect(icon.headers.get('content-type')).toBe('image/svg+xml')
    expect(icon.text()).toStartWith('<svg')
  })
})

test.each(['/v1/v1/chat/completions', '/v1/v1/models?a=b', '/v1/v1'])(
  '%s is a 404 that says what is wrong with the base URL, and reaches no upstream',
  async (path) => {
    const before = gateway.upstreams.openai.requests.length + guarded.upstreams.openai.requests.length
    const wrong = { Authorization: 'Bearer no-token-of-this-server' }
    for (const { port } of [gateway, guarded]) {
      for (const request of [getText(path), postText(path, '{}'), getText(path, wrong)]) {
        const answer = await sendRaw(port, request)
        expect(statusAndCode(answer)).toBe('404 unknown_url')
        expect(JSON.stringify(answer.json())).toContain('It has /v1 twice')
      }
    }
    expect(gateway.upstreams.openai.requests.length + guarded.upstreams.openai.requests.length).toBe(before)
  },
)

test("the 401 of a server with tokens says that one of its own is wanted, in OpenAI's shape", async () => {
  const missing = await sendRaw(guarded.port, getText('/v1/models'))
  const wrong = await sendRaw(guarded.port, getText('/v1/models', { Authorization: 'Bearer sk-proj-0123456789abcdef' }))
  expect([missing.status, wrong.status]).toEqual([401, 401])
  expect(missing.json()).toEqual({
    error: {
      message: expect.stringMatching(/^You didn't provide an API key\. This server wants one of its own API tokens/),
      type: 'invalid_request_error',
      param: null,
      code: null,
    },
  })
  expect(wrong.json()).toEqual({
    error: {
      message: expect.stringMatching(
        /^Incorrect API key provided: sk-\*{8}cdef\. This server takes API tokens of its own/,
      ),
      type: 'invalid_request_error',
      param: null,
      code: 'invalid_api_key',
    },
  })
  expect(missing.text() + wrong.text()).not.toContain('platform.openai.com')
})

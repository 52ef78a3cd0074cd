import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from 'bun:test'
import { gatewayCommand } from '../helpers/gateway-under-test.ts'
import { runProgram } from '../helpers/run-program.ts'
import { startScriptedUpstream } from '../helpers/scripted-upstream.ts'
import { makeSelfSigned, type SelfSigned } from '../helpers/self-signed.ts'
import { startGateway } from '../helpers/start-gateway.ts'

setDefaultTimeout(60_000)

describe('nexcode healthcheck', () => {
  test('exits 0 when the server on this machine is healthy, and 1 with a clear line when it is gone', async () => {
    const gateway = await startGateway({ env: { OPENAI_API_BASE: 'http://127.0.0.1:9/v1' }, command: gatewayCommand() })
    const env = { HOST: '0.0.0.0', PORT: String(gateway.port) }
    expect(await runProgram(['healthcheck'], env)).toEqual({ code: 0, stdout: '', stderr: '' })
    await gateway.stop()
    const { code, stderr } = await runProgram(['healthcheck'], env)
    expect(code).toBe(1)
    expect(stderr).toMatch(
      new RegExp(`^nexcode healthcheck: http://127\\.0\\.0\\.1:${gateway.port}/health does not answer: .+\\n$`),
    )
  })

  test('exits 1 when what answers is not healthy', async () => {
    const other = await startScriptedUpstream((_request, connection) => connection.json({}, 500))
    const { code, stderr } = await runProgram(['healthcheck'], { HOST: '127.0.0.1', PORT: String(other.port) })
    expect(code).toBe(1)
    expect(stderr).toContain('/health answered 500.')
    expect(other.requests[0]?.target).toBe('/health')
    await other.close()
  })

  test('goes past a proxy that is set for the upstream', async () => {
    const gateway = await startGateway({ env: { OPENAI_API_BASE: 'http://127.0.0.1:9/v1' }, command: gatewayCommand() })
    const proxy = 'http://127.0.0.1:9'
    const env = { PORT: String(gateway.port), HTTP_PROXY: proxy, http_proxy: proxy, ALL_PROXY: proxy }
    expect(await runProgram(['healthcheck'], env)).toEqual({ code: 0, stdout: '', stderr: '' })
    await gateway.stop()
  })
})

describe('TLS_CERT_FILE and TLS_KEY_FILE', () => {
  let pair: SelfSigned
  beforeAll(() => {
    pair = makeSelfSigned()
  })
  afterAll(() => pair.remove())

  test('serve HTTPS without a proxy in front, and healthcheck works over it', async () => {
    const upstream = await startScriptedUpstream((_request, connection) => {
      connection.startChunked(200, { 'content-type': 'text/event-stream' })
      connection.chunk('data: {"n":1}\n\n')
      connection.chunk('data: [DONE]\n\n')
      connection.endChunks()
    })
    const tls = { TLS_CERT_FILE: pair.certFile, TLS_KEY_FILE: pair.keyFile }
    const gateway = await startGateway({
      env: { OPENAI_API_BASE: `${upstream.url}/v1`, ...tls },
      command: gatewayCommand(),
    })
    expect(gateway.url).toBe(`https://127.0.0.1:${gateway.port}`)
    const answer = await fetch(`${gateway.url}/v1/chat/completions`, {
      method: 'POST',
      headers: { authorization: 'Bearer sk-mine', 'content-type': 'application/json' },
      body: '{"model":"m","messages":[{"role":"user","content":"hi"}],"stream":true}',
      tls: { ca: pair.cert },
    })
    expect(answer.status).toBe(200)
    expect(await answer.text()).toBe('data: {"n":1}\n\ndata: [DONE]\n\n')
    // What is checked is checked here too, and the docs say https.
    const refused = await fetch(`${gateway.url}/v1/chat/completions`, {
      method: 'POST',
      headers: { authorization: 'Bearer sk-mine', 'content-type': 'application/json' },
      body: '{"model":',
      tls: { ca: pair.cert },
    })
    expect(refused.status).toBe(400)
    expect(await refused.json()).toMatchObject({ error: { type: 'invalid_request_error' } })
    const docs = await fetch(`${gateway.url}/docs`, { tls: { ca: pair.cert } })
    expect(await docs.text()).toContain(`${gateway.url}/v1`)
    const plain = await fetch(`http://127.0.0.1:${gateway.port}/health`).catch(() => undefined)
    expect(plain?.ok ?? false).toBe(false)
    const health = await runProgram(['healthcheck'], { HOST: '127.0.0.1', PORT: String(gateway.port), ...tls })
    expect(health).toEqual({ code: 0, stdout: '', stderr: '' })
    await gateway.stop()
    await upstream.close()
  })

  test('with a key that is not the certificate’s: one clear line, exit code 1', async () => {
    const other = makeSelfSigned()
    const { code, stderr } = await runProgram([], {
      HOST: '127.0.0.1',
      PORT: '0',
      TLS_CERT_FILE: pair.certFile,
      TLS_KEY_FILE: other.keyFile,
    })
    other.remove()
    expect(code).toBe(1)
    expect(stderr).toMatch(
      /^nexcode: cannot listen on 127\.0\.0\.1:0: TLS_CERT_FILE and TLS_KEY_FILE do not belong together: .*\n$/,
    )
  })
})

import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from 'bun:test'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { freePort } from '../helpers/free-port.ts'
import { runProgram } from '../helpers/run-program.ts'
import { makeSelfSigned } from '../helpers/self-signed.ts'

setDefaultTimeout(60_000)

let folder: string
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'nexcode-words-'))
})
afterAll(() => {
  rmSync(folder, { recursive: true, force: true })
})

function write(name: string, text: string): string {
  const path = join(folder, name)
  writeFileSync(path, text)
  return path
}

describe('what the system says reaches a person in words', () => {
  test('check: https to a server that speaks http', async () => {
    const server = createServer((socket) => socket.once('data', () => socket.end('HTTP/1.1 400 Bad Request\r\n\r\n')))
    const port = await freePort()
    await new Promise<void>((resolve) => void server.listen(port, '127.0.0.1', resolve))
    const { stdout } = await runProgram(['check'], { OPENAI_API_BASE: `https://127.0.0.1:${port}/v1` })
    server.close()
    expect(stdout).toMatch(
      /✗ .* does not answer: it does not speak TLS there.* \(EPROTO\)\. If it speaks plain HTTP there, write http:\/\/ in OPENAI_API_BASE/,
    )
    expect(stdout).not.toContain('write https://')
  })

  test('check: a server that closes the connection without a word, as one that wants TLS does', async () => {
    const server = createServer((socket) => socket.once('data', () => socket.resetAndDestroy()))
    const port = await freePort()
    await new Promise<void>((resolve) => void server.listen(port, '127.0.0.1', resolve))
    const checkAt = (scheme: string) => runProgram(['check'], { OPENAI_API_BASE: `${scheme}://127.0.0.1:${port}/v1` })
    const said = 'the connection was closed before an answer was complete (ECONNRESET). If it speaks'
    expect((await checkAt('http')).stdout).toContain(`${said} HTTPS, write https:// in OPENAI_API_BASE;`)
    // Where https:// is written already, the other one is what may be meant.
    const tls = await checkAt('https')
    expect(tls.stdout).toContain(`${said} plain HTTP there, write http:// in OPENAI_API_BASE;`)
    expect(tls.stdout).not.toContain('write https://')
    server.close()
  })

  test('check: nobody there, and a name that nobody knows', async () => {
    const nobody = await runProgram(['check'], { OPENAI_API_BASE: `http://127.0.0.1:${await freePort()}/v1` })
    expect(nobody.stdout).toContain('nothing listens there')
    const unknown = await runProgram(['check'], { OPENAI_API_BASE: 'http://no-such-name.invalid/v1' })
    expect(unknown.stdout).toContain('its name does not resolve')
  })

  test('the start: a certificate that is of another key, and one that is cut', async () => {
    const one = makeSelfSigned()
    const other = makeSelfSigned()
    const mixed = await runProgram([], { PORT: '0', TLS_CERT_FILE: one.certFile, TLS_KEY_FILE: other.keyFile })
    expect(mixed.code).toBe(1)
    expect(mixed.stderr).toContain('TLS_CERT_FILE and TLS_KEY_FILE do not belong together')
    const checked = await runProgram(['check'], { TLS_CERT_FILE: one.certFile, TLS_KEY_FILE: other.keyFile })
    expect([checked.code, checked.stdout]).toEqual([2, ''])
    expect(checked.stderr).toContain('TLS_CERT_FILE and TLS_KEY_FILE do not belong together')
    const cut = write('cut.pem', one.cert.slice(0, 400))
    const damaged = await runProgram([], { PORT: '0', TLS_CERT_FILE: cut, TLS_KEY_FILE: one.keyFile })
    expect(damaged.code).toBe(1)
    expect(damaged.stderr).toContain('is damaged: it is no whole PEM file')
    one.remove()
    other.remove()
  })

  test.each([
    [['--config', '/nowhere/nexcode.yaml'], 'there is no such file or folder (ENOENT)'],
    [['check', '--config', '/'], 'it is a folder, not a file (EISDIR)'],
    [['explain', '/nowhere/request.json'], 'there is no such file or folder (ENOENT)'],
    [['import', 'litellm', '/nowhere/config.yaml'], 'there is no such file or folder (ENOENT)'],
    [['init', 'extension', '/nowhere/my.ts'], 'there is no such file or folder (ENOENT)'],
    [['replay', '--from', '/dev/null/cassettes'], 'a part of the path is a file, not a folder (ENOTDIR)'],
  ])('%j', async (args, said) => {
    const { code, stderr } = await runProgram(args)
    expect(code).toBe(2)
    expect(stderr).toContain(said)
  })

  test('healthcheck: no server there', async () => {
    const { code, stderr } = await runProgram(['healthcheck'], { PORT: String(await freePort()) })
    expect(code).toBe(1)
    expect(stderr).toContain('nothing listens there (ECONNREFUSED)')
  })
})

describe('the file of another program as --config is known for what it is', () => {
  test.each([
    [
      'model_list: []\nlitellm_settings: {drop_params: true}\n',
      'a LiteLLM proxy',
      'Translate it: nexcode import litellm PATH > nexcode.yaml',
    ],
    ['{"strategy": {"mode": "fallback"}, "targets": []}', 'a Portkey configuration', 'docs/configuration.md'],
    ['{"providers": {"openai": {"keys": []}}, "client": {}}', 'a Bifrost configuration', 'docs/configuration.md'],
    ['services:\n  nexcode: {image: nexcode}\n', 'a compose file', 'Name the nexcode.yaml'],
    ['apiVersion: v1\nkind: ConfigMap\n', 'a Kubernetes resource', 'Name the configuration itself'],
    ['{"model": "gpt-4o", "messages": []}', 'the body of a request', 'nexcode explain PATH'],
  ])('%j', async (text, said, cure) => {
    const path = write('foreign.yaml', text)
    const { code, stderr } = await runProgram(['--config', path])
    expect(code).toBe(2)
    expect(stderr).toContain(`${path}:1:1 The file is ${said}`)
    expect(stderr).toContain(cure.replace('PATH', path))
    expect(stderr.trimEnd().split('\n')).toHaveLength(2)
  })
})

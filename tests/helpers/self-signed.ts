import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/** A certificate that nobody vouches for, and its key, for 127.0.0.1 and localhost. */
export interface SelfSigned {
  readonly certFile: string
  readonly keyFile: string
  readonly cert: string
  readonly key: string
  readonly remove: () => void
}

/** Makes one with openssl in a folder of its own. */
export function makeSelfSigned(): SelfSigned {
  const folder = mkdtempSync(join(tmpdir(), 'nexcode-tls-'))
  const certFile = join(folder, 'tls.crt')
  const keyFile = join(folder, 'tls.key')
  const made = Bun.spawnSync([
    ...['openssl', 'req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-days', '2'],
    ...['-subj', '/CN=localhost', '-addext', 'subjectAltName=DNS:localhost,IP:127.0.0.1'],
    ...['-keyout', keyFile, '-out', certFile],
  ])
  if (!made.success) throw new Error(`openssl failed: ${made.stderr.toString()}`)
  return {
    certFile,
    keyFile,
    cert: readFileSync(certFile, 'utf8'),
    key: readFileSync(keyFile, 'utf8'),
    remove: () => rmSync(folder, { recursive: true, force: true }),
  }
}

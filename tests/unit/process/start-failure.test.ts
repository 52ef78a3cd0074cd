import { expect, test } from 'bun:test'
import { explainListenFailure } from '../../../src/process/start-failure.ts'

const AT = { host: '127.0.0.1', port: 80 }

test.each([
  ['EADDRINUSE', 'port 80 is in use on 127.0.0.1', 'set PORT'],
  ['EACCES', 'listening on 127.0.0.1:80 is not permitted', 'PORT=8000'],
  ['EPERM', 'listening on 127.0.0.1:80 is not permitted', 'PORT=8000'],
  ['EADDRNOTAVAIL', 'no address 127.0.0.1', 'HOST=0.0.0.0'],
  ['ENOTFOUND', 'no address 127.0.0.1', 'HOST=0.0.0.0'],
  [
    'EMFILE',
    'cannot listen on 127.0.0.1:80: this process has as many files and connections open as it may',
    'Check HOST, PORT',
  ],
])('%s is one clear line with the cure', (code, problem, cure) => {
  const line = explainListenFailure(Object.assign(new Error('too many'), { code }), AT)
  expect(line).toStartWith('nexcode: ')
  expect(line).toContain(problem)
  expect(line).toContain(cure)
  expect(line).not.toContain('\n')
})

test('what is no error is one clear line too', () => {
  expect(explainListenFailure('odd', AT)).toBe(
    'nexcode: cannot listen on 127.0.0.1:80: odd. Check HOST, PORT and the TLS files.',
  )
})

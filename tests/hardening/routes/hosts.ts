/** What stands behind `Host:`, as raw lines of a request's head. */
export interface HostCase {
  readonly name: string
  readonly lines: string
  /** Whether RFC 9112 §3.2 and a plain reading allow it: one line, one host, nothing of a path or a user in it. */
  readonly isGood: boolean
}

const good = (name: string, host: string): HostCase => ({ name, lines: `Host: ${host}\r\n`, isGood: true })
const bad = (name: string, lines: string): HostCase => ({ name, lines, isGood: false })

/** Hosts that a router may take for a part of the path, and some that are only short. */
export const HOSTS: readonly HostCase[] = [
  good('localhost', 'localhost'),
  good('one-letter', 'a'),
  good('two-letters', 'ai'),
  good('with-port', 'gateway:8000'),
  good('short-with-port', 'a:1'),
  good('address', '127.0.0.1'),
  good('ipv6', '[::1]:8000'),
  good('dot-at-end', 'api.example.'),
  good('underscore', 'my_gateway'),
  good('named-health', 'health'),
  good('long', `${'a'.repeat(60)}.${'b'.repeat(60)}.example`),
  good('capitals', 'GATEWAY.EXAMPLE'),
  bad('none', ''),
  bad('empty', 'Host: \r\n'),
  bad('twice', 'Host: a\r\nHost: b\r\n'),
  bad('twice-the-same', 'Host: a\r\nHost: a\r\n'),
  bad('with-path', 'Host: a/health\r\n'),
  bad('with-open-path', 'Host: localhost/health?x=\r\n'),
  bad('with-user', 'Host: user@localhost\r\n'),
  bad('with-query', 'Host: localhost?\r\n'),
  bad('with-fragment', 'Host: localhost#\r\n'),
  bad('with-backslash', 'Host: a\\health\r\n'),
  bad('with-scheme', 'Host: http://localhost/health\r\n'),
  bad('port-without-number', 'Host: localhost:health\r\n'),
  bad('encoded-slash', 'Host: a%2fhealth\r\n'),
]

/**
 * Says in one line why the server can't listen, and what to do.
 *
 * @example
 * explainListenFailure(error, { host: '0.0.0.0', port: 8000 })
 */
export function explainListenFailure(cause: unknown, at: { readonly host: string; readonly port: number }): string {
  const code = cause instanceof Error && 'code' in cause ? String(cause.code) : ''
  const where = `${at.host}:${at.port}`
  switch (code) {
    case 'EADDRINUSE':
      return `nexcode: port ${at.port} is in use on ${at.host}. Stop the program that holds it, or set PORT to another one (PORT=0 takes any free one).`
    case 'EACCES':
    case 'EPERM':
      return `nexcode: listening on ${where} is not permitted. Ports below 1024 need a privilege: set PORT to 1024 or more, such as PORT=8000.`
    case 'EADDRNOTAVAIL':
    case 'ENOTFOUND':
      return `nexcode: this machine has no address ${at.host}. Set HOST to one that it has, such as HOST=0.0.0.0 or HOST=127.0.0.1.`
    default:
      return `nexcode: cannot listen on ${where}: ${cause instanceof Error ? cause.message : String(cause)}. Check HOST, PORT and the TLS files.`
  }
}

/** The codes of the system and the runtime in words, as the end of a sentence that begins with the attempt. */
const WORDS: ReadonlyMap<string, string> = new Map([
  ['ENOENT', 'there is no such file or folder'],
  ['EACCES', 'this user may not'],
  ['EPERM', 'this user may not'],
  ['EISDIR', 'it is a folder, not a file'],
  ['ENOTDIR', 'a part of the path is a file, not a folder'],
  ['EEXIST', 'it is there already'],
  ['ENOTEMPTY', 'the folder is not empty'],
  ['EROFS', 'the file system is read-only'],
  ['ENOSPC', 'the disk is full'],
  ['EDQUOT', "this user's share of the disk is used up"],
  ['EFBIG', 'the file is too large, or would be'],
  ['ENAMETOOLONG', 'the name is too long'],
  ['ELOOP', 'symbolic links lead in a circle'],
  ['EMFILE', 'this process has as many files and connections open as it may (ulimit -n)'],
  ['ENFILE', 'the system has as many files and connections open as it may'],
  ['ENOMEM', 'there is not enough memory'],
  ['EIO', 'the disk failed'],
  ['EBUSY', 'something else is using it'],
  ['ECONNREFUSED', 'nothing listens there'],
  ['ConnectionRefused', 'nothing listens there'],
  ['ECONNRESET', 'the connection was closed before an answer was complete'],
  ['ConnectionClosed', 'the connection was closed before an answer was complete'],
  ['EPIPE', 'the other side has closed the connection'],
  ['ENOTFOUND', 'its name does not resolve'],
  ['EAI_AGAIN', 'its name does not resolve now: the DNS does not answer'],
  ['FailedToOpenSocket', 'no connection to it can be opened'],
  ['ETIMEDOUT', 'it does not answer in time'],
  ['ConnectionTimeout', 'it does not answer in time'],
  ['TimeoutError', 'it does not answer in time'],
  ['EHOSTUNREACH', 'no network leads there'],
  ['ENETUNREACH', 'no network leads there'],
  ['ENETDOWN', 'the network is down'],
  ['EADDRINUSE', 'the port is in use'],
  ['EADDRNOTAVAIL', 'this machine has no such address, or no free port is left'],
  ['EPROTO', 'it does not speak TLS there, so that http:// or another port is meant, or it refuses the handshake'],
  ['ERR_SSL_WRONG_VERSION_NUMBER', 'it does not speak TLS there: http:// is meant, or another port'],
  ['Malformed_HTTP_Response', 'what answers there does not speak HTTP'],
  ['InvalidHTTPResponse', 'what answers there does not speak HTTP'],
  ['UnsupportedProxyProtocol', 'the proxy is named by a scheme that is not supported'],
  ['ProxyAuthenticationRequired', 'the proxy wants a user and a password'],
  ['DEPTH_ZERO_SELF_SIGNED_CERT', 'its certificate is not trusted: it is self-signed'],
  ['SELF_SIGNED_CERT_IN_CHAIN', 'its certificate is not trusted: an authority that is not known has signed it'],
  ['UNABLE_TO_VERIFY_LEAF_SIGNATURE', 'its certificate is not trusted: the authority that has signed it is not known'],
  [
    'UNABLE_TO_GET_ISSUER_CERT_LOCALLY',
    'its certificate is not trusted: the authority that has signed it is not known',
  ],
  ['UNABLE_TO_GET_ISSUER_CERT', 'its certificate is not trusted: the authority that has signed it is not known'],
  ['CERT_HAS_EXPIRED', 'its certificate has expired'],
  ['CERT_NOT_YET_VALID', "its certificate is not valid yet: check this machine's clock"],
  ['ERR_TLS_CERT_ALTNAME_INVALID', 'its certificate is for another name'],
  ['CERT_SIGNATURE_FAILURE', 'its certificate is damaged'],
])

/**
 * The words for a code of the system's or the runtime's; undefined: it is none that is known.
 *
 * @example
 * wordsForCode('ECONNREFUSED') // 'nothing listens there'
 */
export function wordsForCode(code: string): string | undefined {
  return WORDS.get(code)
}

/**
 * An error's message for a person: the system's code in words with the code behind them, else its own message.
 *
 * @example
 * describeSystemError(error) // 'there is no such file or folder (ENOENT)'
 */
export function describeSystemError(cause: unknown): string {
  if (!(cause instanceof Error)) return String(cause)
  const code = 'code' in cause && typeof cause.code === 'string' ? cause.code : cause.name
  const words = WORDS.get(code)
  if (words !== undefined) return `${words} (${code})`
  return 'code' in cause && typeof cause.code === 'string' && cause.message === '' ? code : cause.message
}

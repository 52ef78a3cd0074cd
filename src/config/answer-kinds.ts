import { type Kind, right, wrong } from './kind.ts'
import { Secret } from './secret.ts'

/** Where answers are kept: `memory`, `sqlite:PATH`, `redis://…`, `rediss://…`, or `off`. It may hold a password: never shown. */
export const cacheStore: Kind<Secret | undefined> = {
  label: 'store',
  isSecret: true,
  parse(text) {
    if (/^(off|none|false)$/i.test(text)) return right(undefined)
    if (/^(memory|sqlite:.+|rediss?:\/\/.+)$/.test(text)) return right(new Secret(text))
    return wrong('is no store that there is', 'Use memory, sqlite:PATH, redis://HOST:PORT, rediss://HOST:PORT or off.')
  },
}

/** Files, by comma. */
export const pathList: Kind<readonly string[]> = {
  label: 'path list',
  parse(text) {
    const paths = text
      .split(',')
      .map((path) => path.trim())
      .filter((path) => path !== '')
    return paths.some((path) => /\p{Cc}/u.test(path))
      ? wrong('has a control character in it', 'Use the paths of files, by comma.')
      : right(paths)
  },
}

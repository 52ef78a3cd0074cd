/** The folder that cassettes are kept in, as far as they need a file system. */
export interface CassetteFolder {
  /** The names of its files; none where there is no such folder. */
  readonly list: () => Promise<readonly string[]>
  readonly read: (name: string) => Promise<string>
  /** Writes a new file, as a whole or not at all; false: there is one of that name, which stays as it is. */
  readonly create: (name: string, text: string) => Promise<boolean>
  /** Rejects with the system's error where no file could be written; leaves nothing. */
  readonly probe: () => Promise<void>
}

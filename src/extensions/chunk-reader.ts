/** Reads a body chunk by chunk: of a stream's reader, what is needed here. */
export interface ChunkReader {
  read(): Promise<
    | { readonly done: false; readonly value: Uint8Array }
    | { readonly done: true; readonly value?: Uint8Array | undefined }
  >
  cancel(): Promise<void>
}

/** Values in order, each given to one who asks, who may ask first. */
export interface Queue<T> {
  readonly add: (value: T) => void
  readonly next: () => Promise<T>
}

/** Makes an empty queue. */
export function createQueue<T>(): Queue<T> {
  const values: T[] = []
  const waiting: ((value: T) => void)[] = []
  return {
    add(value) {
      const resolve = waiting.shift()
      if (resolve === undefined) values.push(value)
      else resolve(value)
    },
    next() {
      if (values.length === 0) return new Promise((resolve) => void waiting.push(resolve))
      return Promise.resolve(values.shift() as T)
    },
  }
}

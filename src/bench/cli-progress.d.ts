/** What is used of cli-progress 3.12, which brings no types. Source: its README, "Options", and lib/options.js. */
declare module 'cli-progress' {
  export interface Options {
    readonly stream: NodeJS.WritableStream
    readonly format: () => string
    readonly fps: number
    readonly forceRedraw: boolean
    readonly clearOnComplete: boolean
    readonly hideCursor: boolean
    readonly linewrap: boolean
    readonly gracefulExit: boolean
  }

  export class SingleBar {
    constructor(options: Options)
    start(total: number, startValue: number): void
    stop(): void
  }
}

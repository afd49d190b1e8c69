/** An agent that can be measured: Remora, or a peer. One file each; `bench/peers/` has the peers. */
export interface Program {
  readonly name: string
  /** `0.1.0`, or what its own `--version` says. @throws RemoraError when it is not installed, with how to install it */
  version(): Promise<string>
  /**
   * How it is started. Files that it needs are written into `directory`, which is removed afterwards.
   * @throws RemoraError for a setting that it has no word for
   */
  command(settings: ProgramSettings): Promise<Command>
}

export interface ProgramSettings {
  /** An empty directory of its own, for configuration and state. */
  readonly directory: string
  /** Each `*.log` in it is to be shipped, by renaming and copytruncate rotated too. */
  readonly logs: string
  /** `http://127.0.0.1:PORT`, without credentials. */
  readonly url: string
  readonly index: string
  /** `REMORA_…` settings: only Remora takes them. */
  readonly settings: Readonly<Record<string, string>>
  /** 0: none. Where `/livez` answers when it is ready to be measured. */
  readonly adminPort: number
}

export interface Command {
  readonly command: string
  readonly args: readonly string[]
  readonly env: Readonly<Record<string, string>>
  /** The signal that ends it when everything is shipped. */
  readonly stopSignal: NodeJS.Signals
}

import { accessSync, constants, writeFileSync } from 'node:fs'
import { delimiter, join } from 'node:path'
import { messageOf, RemoraError } from '../../src/base/errors.ts'
import { outputOf } from '../../src/bench/machine/process.ts'
import type { Program, ProgramSettings } from '../../src/bench/program.ts'

/**
 * rsyslog: imfile reads, a queue of memory batches, omelasticsearch ships. Debian's packages `rsyslog` and
 * `rsyslog-elasticsearch`; run in the foreground, by anybody, with all of its files in its own directory.
 *
 * What was chosen and why is in README.md beside this; its documentation is at https://www.rsyslog.com/doc/.
 */

/** What was tried; see README.md for the figures. */
export interface Tuning {
  /** Documents in one bulk request at most, and messages that a worker takes from the queue at once. */
  readonly dequeueBatchSize: number
  /** Requests at once; a second one begins when so many messages wait. */
  readonly workerThreads: number
  readonly workerThreadMinimumMessages: number
  /** Messages in memory. */
  readonly queueSize: number
}

export const tuned: Tuning = {
  dequeueBatchSize: 300,
  workerThreads: 2,
  workerThreadMinimumMessages: 2_500,
  queueSize: 10_000,
}

const install = 'On Debian and Ubuntu: apt-get install rsyslog rsyslog-elasticsearch'
const askMsMax = 10_000
/** Daemons are not on the path of everybody. */
const moreFolders = ['/usr/sbin', '/sbin', '/usr/local/sbin']
/** Not so much as a line that is cut here: 64 KiB is what Remora takes, and rsyslog would cut at 8. */
const messageBytesMax = '128k'

export function rsyslogProgram(tuning: Tuning = tuned): Program {
  return {
    name: 'rsyslog',
    version: async () => versionOf(rsyslogd()),
    async command(settings) {
      const configuration = join(settings.directory, 'rsyslog.conf')
      writeFileSync(configuration, configurationFor(settings, tuning))
      return {
        command: rsyslogd(),
        // In the foreground, and without a file for its process id.
        args: ['-n', '-iNONE', '-f', configuration],
        env: {},
        stopSignal: 'SIGTERM',
      }
    },
  }
}

export default rsyslogProgram()

/** @throws RemoraError `PEER_MISSING` */
function rsyslogd(): string {
  const folders = [...(process.env['PATH'] ?? '').split(delimiter), ...moreFolders]
  for (const folder of folders) {
    const path = join(folder, 'rsyslogd')
    try {
      accessSync(path, constants.X_OK)
      return path
    } catch {
      // The next folder.
    }
  }
  throw new RemoraError('PEER_MISSING', 'rsyslog is not installed', install)
}

/** Both modules must be there, too. @throws RemoraError `PEER_MISSING` */
async function versionOf(command: string): Promise<string> {
  const version = /^rsyslogd\s+(\S+)/.exec(await outputOf(command, ['-v'], askMsMax))?.[1] ?? 'unknown'
  try {
    // It looks at all of a configuration, here on its standard input, and begins nothing.
    await outputOf('/bin/sh', ['-c', 'printf %s "$1" | "$0" -N1 -f /dev/stdin', command, anyConfiguration], askMsMax)
    return version
  } catch (error) {
    const said = messageOf(error, 300)
    throw new RemoraError('PEER_MISSING', `rsyslog ${version} has no omelasticsearch or no imfile: ${said}`, install)
  }
}

const anyConfiguration = configurationFor({
  directory: '/tmp',
  logs: '/tmp',
  url: 'http://127.0.0.1:9200',
  index: 'logs',
})

/** The whole of its configuration. @throws RemoraError `PEER_SETTING` for a path or an index that cannot be written in it */
export function configurationFor(
  { directory, logs, url, index }: Pick<ProgramSettings, 'directory' | 'logs' | 'url' | 'index'>,
  tuning: Tuning = tuned,
): string {
  return `global(workDirectory=${quoted(directory)} maxMessageSize="${messageBytesMax}")
module(load="imfile" mode="inotify")
module(load="omelasticsearch")

# What it says of itself goes to where Remora's messages go: the end of it is told when a run fails.
action(type="omfile" file="/dev/stdout")

template(name="document" type="list") {
  constant(value="{\\"@timestamp\\":\\"")
  property(name="timegenerated" dateFormat="rfc3339")
  constant(value="\\",\\"message\\":\\"")
  property(name="msg" format="json")
  constant(value="\\"}")
}

ruleset(
  name="ship"
  queue.type="FixedArray"
  queue.size="${tuning.queueSize}"
  queue.dequeueBatchSize="${tuning.dequeueBatchSize}"
  queue.workerThreads="${tuning.workerThreads}"
  queue.workerThreadMinimumMessages="${tuning.workerThreadMinimumMessages}"
  queue.timeoutShutdown="10000"
) {
  action(
    type="omelasticsearch"
    server=${quoted(url)}
    bulkmode="on"
    searchIndex=${quoted(index)}
    searchType=""
    template="document"
    maxbytes="100m"
    action.resumeRetryCount="-1"
    action.resumeInterval="1"
  )
}

input(
  type="imfile"
  File=${quoted(`${literal(logs)}/*.log`)}
  Tag="app"
  ruleset="ship"
  addMetadata="off"
  reopenOnTruncate="on"
)
`
}

/** A name in which glob(7) finds nothing to match. */
function literal(path: string): string {
  return path.replaceAll(/[*?[\]{}\\]/g, '\\$&')
}

/** A text as RainerScript has it: between double quotes, in which a backslash is an escape. A line ends none. */
function quoted(text: string): string {
  // oxlint-disable-next-line no-control-regex -- those are what it cannot take
  if (/[\u0000-\u001f]/.test(text)) {
    throw new RemoraError(
      'PEER_SETTING',
      `rsyslog has no word for a control character in ${JSON.stringify(text)}`,
      'Set TMPDIR to a directory without one in its name.',
    )
  }
  return `"${text.replaceAll(/["\\]/g, '\\$&')}"`
}

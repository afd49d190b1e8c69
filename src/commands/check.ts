/** `remora check`: what would run here, before it runs. */
import { writeFileSync } from 'node:fs'
import { systemClock } from '../base/clock.ts'
import { systemDisk } from '../base/disk.ts'
import { systemVolumeDisk } from '../base/volume-disk.ts'
import { nameAt } from '../base/placeholders.ts'
import { adminFactsOf, adminFindings } from '../check/admin.ts'
import { printable } from '../base/printable.ts'
import { Discretion } from '../check/discretion.ts'
import { authoritiesFindings, clientCertFindings } from '../check/elasticsearch/authorities.ts'
import { serverFactsOf } from '../check/elasticsearch/facts.ts'
import { elasticsearchFindings } from '../check/elasticsearch/findings.ts'
import { filesFactsOf } from '../check/files-facts.ts'
import { filesFindings } from '../check/files-findings.ts'
import type { Finding, Section } from '../check/finding.ts'
import { memoryFactsOf } from '../check/memory-facts.ts'
import { memoryFindings } from '../check/memory-findings.ts'
import { closingText, exitCodeOf, sectionText, terminalPaint } from '../check/report.ts'
import { settingsFindings } from '../check/settings-findings.ts'
import { stateFactsOf } from '../check/state-facts.ts'
import { stateFindings } from '../check/state-findings.ts'
import { volumeFactsOf, volumeFindings } from '../check/volume.ts'
import { accessOf } from '../connect/access.ts'
import { loadSettings, type Entry, type Env } from '../config/load.ts'
import { proxySecrets } from '../config/proxy.ts'
import { readSettingFile } from '../config/read-file.ts'
import { settings as table } from '../config/settings.ts'
import type { Settings } from '../config/types.ts'
import { version } from '../version.ts'
import { needToLook, tightnessNow } from './room.ts'
import { stateDirIn } from './state-dir.ts'

/** For everything that one address of Elasticsearch is asked. */
const deadlineMs = 10_000

const usage = `remora check   what would run here, before it runs: settings, files, memory, Elasticsearch
  --anyway    although there is little memory left beside Remora in the same container

Changes nothing, and works while Remora runs. Exit codes: 0 nothing is an error; 1 something is; 2 the configuration is bad.
`

/** @returns the exit code: 0 when nothing is an error, 2 on bad configuration or arguments, else 1 */
export async function checkCommand(argv: readonly string[], env: Env, write: (text: string) => void): Promise<number> {
  if (argv.includes('--help')) {
    write(usage)
    return 0
  }
  const unknown = argv.find((argument) => argument !== '--anyway')
  if (unknown !== undefined) {
    write(`remora check does not know ${JSON.stringify(unknown)}.\n\n${usage}`)
    return 2
  }
  giveWay()
  const tight = argv.length > 0 ? undefined : tightnessNow(needToLook(stateDirIn(env)))
  if (tight !== undefined) {
    write(`${tight}\n`)
    return 1
  }
  write(`Remora ${version}: what would run here\n`)
  const loaded = loadSettings(env, readSettingFile)
  const { settings } = loaded
  const discretion = new Discretion(settings ?? {}, proxySecrets(env))
  const all: Finding[] = []
  const tell = (section: Section) => {
    const findings = section.findings.map((finding) => presentable(finding, discretion))
    all.push(...findings)
    write(sectionText({ ...section, findings }, terminalPaint))
  }

  tell({ title: 'Settings', findings: settingsFindings(loaded) })
  if (settings !== undefined) {
    const state = stateFactsOf(settings.stateDir, systemDisk, systemClock)
    tell({ title: 'State directory', findings: stateFindings(state, settings.deadLetterBytesMax) })
    const files = filesFactsOf(settings, systemDisk, systemClock)
    const volume = volumeFindings(await volumeFactsOf(files.roots, systemVolumeDisk, systemClock), settings)
    tell({ title: 'Files', findings: [...filesFindings(files, settings.scanIntervalMs), ...volume] })
    tell({ title: 'Memory', findings: memoryFindings(memoryFactsOf(settings)) })
    tell(await elasticsearchSection(settings, loaded.entries, discretion))
    tell({ title: 'Probes and metrics', findings: adminFindings(await adminFactsOf(settings.adminPort)) })
  }
  write(closingText(all, terminalPaint))
  return exitCodeOf(all)
}

/** In the agent's own container memory may be short: then the kernel is to take this process and not the agent. */
function giveWay(): void {
  try {
    writeFileSync('/proc/self/oom_score_adj', '1000')
  } catch {
    // Not Linux, or not allowed.
  }
}

async function elasticsearchSection(
  settings: Settings,
  entries: readonly Entry[],
  discretion: Discretion,
): Promise<Section> {
  const { elasticsearchUrls: urls, apiKey, bearerToken, username } = settings
  // Of a target with dates the index that a file seen now would go to.
  const target = nameAt(settings.target, systemClock.nowMs())
  const access = accessOf(settings, readSettingFile)
  const { ca, clientCert } = access
  const credentials = { username, apiKey: apiKey !== undefined, bearerToken: bearerToken !== undefined }
  const question = { target, access, credentials, deadlineMs }
  const servers = await Promise.all(urls.map((url) => serverFactsOf(url, question, discretion)))
  const isStream = entries.some(({ name, origin }) => name === table.index.name && origin === 'default')
  return {
    title: 'Elasticsearch',
    findings: [
      ...(ca === undefined ? [] : authoritiesFindings(ca, systemClock.nowMs())),
      ...(clientCert === undefined ? [] : clientCertFindings(clientCert, systemClock.nowMs())),
      ...elasticsearchFindings(servers, { target, isStream, credentials }),
    ],
  }
}

/** No secret and no control character leaves, whatever a finding is about. */
function presentable(finding: Finding, discretion: Discretion): Finding {
  const clean = (text: string) => printable(discretion.hide(text))
  const { text, lines = [] } = finding
  const said = { text: clean(text), lines: lines.map(clean) }
  return finding.level === 'ok' ? { ...finding, ...said } : { ...finding, ...said, wayOut: clean(finding.wayOut) }
}

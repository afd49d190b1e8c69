import { expect, test } from 'vitest'
import { readAlertGroups } from '../../build/alerts.ts'
import { describePrograms } from '../kit/logrotate.ts'
import { breakable } from './breakable.ts'
import { delivery } from './causes/delivery.ts'
import { losses } from './causes/losses.ts'
import { surroundings } from './causes/surroundings.ts'
import { Pod } from './pod.ts'

const causes = { ...losses, ...delivery, ...surroundings }
const alerts = readAlertGroups().flatMap(({ rules }) => rules)

/** One that loses its first three lines, before anybody has scraped it. */
async function losingPod(): Promise<Pod> {
  const { broken, hooks } = breakable()
  const pod = new Pod({ hooks })
  broken.set('append /state/dead-letters', 'ENOSPC')
  pod.server.outcome = () => ({ item: () => ({ status: 400, errorType: 'strict_dynamic_mapping_exception' }) })
  pod.log()
  await pod.world.agent.start()
  return pod
}

test('every alert has its cause here, and every cause its alert', () => {
  expect(Object.keys(causes).toSorted()).toEqual(alerts.map(({ alert }) => alert).toSorted())
})

describePrograms(
  ['promtool'],
  'the real agent, scraped in virtual time, and the rules as Prometheus evaluates them',
  () => {
    test.each(Object.keys(causes))('%s fires when its cause is there, and not before', async (alert) => {
      const pod = await causes[alert]!()
      expect(pod.world.agent.failure).toBeUndefined()
      expect(pod.seen.allExpected, 'the cause is that of this alert').toContain(alert)
      expect(await pod.seen.verdict()).toBe('')
    })

    test('what a Pod counts before its first scrape is seen as well, and for ten minutes', async () => {
      const pod = await losingPod()
      await pod.minutes(2)
      expect(pod.world.agent.agent.figures().lostLines).toBe(3)
      pod.seen.expect('RemoraLinesLost')
      await pod.minutes(10)
      pod.seen.expect()
      expect(await pod.seen.verdict()).toBe('')
    })

    test('what was told long ago is not told again when Prometheus itself was away', async () => {
      const pod = await losingPod()
      await pod.minutes(15)
      await pod.unseenMinutes(20)
      for (let minute = 0; minute < 12; minute++) {
        await pod.minutes(1)
        pod.seen.expect()
      }
      expect(await pod.seen.verdict()).toBe('')
    })
  },
)

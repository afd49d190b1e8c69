import { defineConfig } from 'vitest/config'

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    globalSetup: ['test/kit/bundle.ts', 'test/kit/elasticsearch/global-setup.ts'],
    testTimeout: 60_000,
    hookTimeout: 240_000,
    pool: 'forks',
    // Most of them wait, for servers and for time to pass; two cores are enough for two at once.
    maxWorkers: 2,
  },
})
